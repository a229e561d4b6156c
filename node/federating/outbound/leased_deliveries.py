"""Loads leased deliveries with body, signing key and headers in a constant number of queries, and
marks those that policy now forbids.
"""

from collections.abc import Mapping
from datetime import datetime

import structlog
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from federation.signatures import PrivateKey
from federation.vocabulary.activity_types import activity_type
from node.access.audiences import NOBODY, PEERS
from node.errors import NotFoundError
from node.federating.identity import actors
from node.federating.identity.signature_schemes import parse_scheme
from node.federating.models import Actor, Delivery, OutboxActivity, Peer
from node.federating.outbound import follower_digests
from node.federating.outbound.outgoing_requests import OutgoingRequest
from node.federating.peers import service as peers
from node.outages import is_outage
from node.queue.error_isolation import describe_error
from node.runtime import Node

log = structlog.get_logger(__name__)


def load_deliveries(node: Node, is_degraded: Mapping[int, bool]) -> list[OutgoingRequest]:
    """The requests for these delivery ids; the values say whether the host is degraded. A delivery
    that cannot be loaded gets a `load_error`, and does not affect the others.
    """
    if not is_degraded:
        return []
    try:
        return _load(node, is_degraded)
    except Exception as error:
        if is_outage(error):
            raise
        if len(is_degraded) > 1:
            return [
                request
                for item in is_degraded.items()
                for request in load_deliveries(node, dict([item]))
            ]
        log.exception("delivery could not be loaded", delivery=[*is_degraded])
        return [
            _load_without_body(node, delivery_id, describe_error(error))
            for delivery_id in is_degraded
        ]


def _load_without_body(node: Node, delivery_id: int, reason: str) -> OutgoingRequest:
    with node.reading() as session:
        row = session.execute(_select_deliveries().where(Delivery.id == delivery_id)).one()
    return OutgoingRequest(
        row.id, row.inbox, row.host, row.object_uri, row.due_at, load_error=reason
    )


def _load(node: Node, is_degraded: Mapping[int, bool]) -> list[OutgoingRequest]:
    with node.reading() as session:
        rows = session.execute(_select_deliveries().where(Delivery.id.in_(is_degraded))).all()
        hosts = {row.host for row in rows}
        activities = _load_activities(session, {row.activity_id for row in rows})
        keys = _load_keys(session, {activity.actor_id for activity in activities.values()})
        policy = _DeliveryPolicy(node, session, hosts)
        query = select(Peer.host, Peer.scheme).where(Peer.host.in_(hosts))
        schemes = {row.host: parse_scheme(row.scheme) for row in session.execute(query)}
        sender_ids = {
            row.id: row.actor_id
            for row in activities.values()
            if activity_type(row.type).is_for_followers
        }
        headers = follower_digests.build_headers(session, set(sender_ids.values()), hosts)
        bodies = {
            activity_id: activity.body.encode() for activity_id, activity in activities.items()
        }
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
                signature_scheme=schemes.get(row.host),
                refusal=policy.refusal_reason(row.host, activity),
                is_degraded=is_degraded[row.id],
                headers=headers.get((sender_ids.get(row.activity_id, 0), row.host), {}),
            )
            for row in rows
        ]


def _select_deliveries() -> Select[int, str, str, str, datetime, int]:
    columns = Delivery.id, Delivery.inbox, Delivery.host, Delivery.object_uri, Delivery.due_at
    return select(*columns, Delivery.activity_id)


class _DeliveryPolicy:
    """Which of `hosts` may receive which activity. Checked at each attempt, since operators change
    it.
    """

    def __init__(self, node: Node, session: Session, hosts: set[str]) -> None:
        self._allowed = peers.allowed_among(session, node.settings, hosts)
        self._is_open = node.settings.federation == "open"
        self._session = session

    def refusal_reason(self, host: str, activity: OutboxActivity) -> str:
        """Why `host` may not receive the activity; empty if it may."""
        if host not in self._allowed:
            return f"{host} is not an allowed server"
        # Withdrawn before this delivery arrived.
        if activity.audience == NOBODY and activity_type(activity.type).publishes_object:
            return "It was withdrawn before it arrived."
        # Every host that received the object must learn that it is deleted.
        is_for_peers = (
            activity.audience == PEERS and not activity_type(activity.type).must_reach_all
        )
        if (
            is_for_peers
            and self._is_open
            and not peers.explicitly_allowed_among(self._session, {host})
        ):
            return f"{host} must be allowed by name to see this"
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
        return actors.get_signing_key(actor)
    except NotFoundError:
        return None
