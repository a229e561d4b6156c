"""Deliveries read as letters: many at once, each activity and each key a single time."""

from collections.abc import Mapping
from datetime import datetime

import structlog
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from federation.signatures import PrivateKey
from node.error_isolation import describe_error
from node.errors import NotFoundError
from node.federating import actors, follower_sync, peers
from node.federating.models import Actor, Delivery, OutboxActivity, Peer
from node.federating.outbox import CONTENT_ACTIVITIES, NOBODY, PEERS
from node.federating.outgoing_requests import OutgoingRequest
from node.federating.signature_schemes import parse_scheme
from node.outages import is_outage
from node.runtime import Node

log = structlog.get_logger(__name__)

# What goes to followers says beside whom of them we know there (FEP-8fcf).
FOLLOWER_TYPES = frozenset({"Create", "Update", "Delete"})


def load_deliveries(node: Node, careful: Mapping[int, bool]) -> list[OutgoingRequest]:
    """The deliveries with these ids; `careful` says of each how its host is to be treated. One that
    cannot be read says so, and holds up no other.
    """
    if not careful:
        return []
    try:
        return _load(node, careful)
    except Exception as error:
        if is_outage(error):
            raise
        if len(careful) > 1:
            return [one for each in careful.items() for one in load_deliveries(node, dict([each]))]
        log.exception("a delivery cannot be read", delivery=[*careful])
        return [_load_unreadable(node, number, describe_error(error)) for number in careful]


def _load_unreadable(node: Node, delivery_id: int, why: str) -> OutgoingRequest:
    with node.reading() as session:
        row = session.execute(_select_deliveries().where(Delivery.id == delivery_id)).one()
    return OutgoingRequest(row.id, row.inbox, row.host, row.object_uri, row.due_at, load_error=why)


def _load(node: Node, careful: Mapping[int, bool]) -> list[OutgoingRequest]:
    with node.reading() as session:
        rows = session.execute(_select_deliveries().where(Delivery.id.in_(careful))).all()
        hosts = {row.host for row in rows}
        activities = _load_activities(session, {row.activity_id for row in rows})
        keys = _load_keys(session, {activity.actor_id for activity in activities.values()})
        refused = _DeliveryPolicy(node, session, hosts)
        query = select(Peer.host, Peer.scheme).where(Peer.host.in_(hosts))
        schemes = {row.host: parse_scheme(row.scheme) for row in session.execute(query)}
        told = {
            each.id: each.actor_id for each in activities.values() if each.type in FOLLOWER_TYPES
        }
        headers = follower_sync.build_headers(session, set(told.values()), hosts)
        bodies = {number: activity.body.encode() for number, activity in activities.items()}
        return [
            OutgoingRequest(
                id=row.id,
                inbox=row.inbox,
                host=row.host,
                object_uri=row.object_uri,
                due_at=row.due_at,
                activity_type=(activity := activities[row.activity_id]).type,
                body=bodies[row.activity_id],
                key=keys[activity.actor_id],
                scheme=schemes.get(row.host),
                refusal=refused.refusal_reason(row.host, activity),
                is_degraded=careful[row.id],
                headers=headers.get((told.get(row.activity_id, 0), row.host), {}),
            )
            for row in rows
        ]


def _select_deliveries() -> Select[int, str, str, str, datetime, int]:
    columns = Delivery.id, Delivery.inbox, Delivery.host, Delivery.object_uri, Delivery.due_at
    return select(*columns, Delivery.activity_id)


class _DeliveryPolicy:
    """Which of `hosts` may get what: asked again at each attempt, since operators change it."""

    def __init__(self, node: Node, session: Session, hosts: set[str]) -> None:
        self._allowed = peers.allowed_among(session, node.settings, hosts)
        self._is_open = node.settings.federation == "open"
        self._session = session

    def refusal_reason(self, host: str, activity: OutboxActivity) -> str:
        """Why `host` may not get the activity; empty if it may."""
        if host not in self._allowed:
            return f"{host} is not on the list of servers we speak with"
        # It was on its way when it was withdrawn, and did not arrive.
        if activity.audience == NOBODY and activity.type in CONTENT_ACTIVITIES:
            return "It was withdrawn before it arrived."
        # Whoever got it may and should hear that it is gone.
        is_for_peers = activity.audience == PEERS and activity.type != "Delete"
        if (
            is_for_peers
            and self._is_open
            and not peers.explicitly_allowed_among(self._session, {host})
        ):
            return f"{host} is not one of the peers that may see this"
        return ""


def _load_activities(session: Session, ids: set[int]) -> dict[int, OutboxActivity]:
    query = select(OutboxActivity).where(OutboxActivity.id.in_(ids))
    return {activity.id: activity for activity in session.scalars(query)}


def _load_keys(session: Session, ids: set[int]) -> dict[int, PrivateKey | None]:
    return {
        actor.id: _signing_key(actor)
        for actor in session.scalars(select(Actor).where(Actor.id.in_(ids)))
    }


def _signing_key(actor: Actor) -> PrivateKey | None:
    try:
        return actors.signing_key(actor)
    except NotFoundError:
        return None
