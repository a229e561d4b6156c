"""Puts activities into the outbox and creates their deliveries, in one transaction."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from federation.addressing import recipients
from federation.origin import host_of
from federation.proofs import add_proof
from federation.vocabulary import id_of
from federation.vocabulary.activity_types import activity_type, names_of_types
from node.access.audiences import DIRECT, NOBODY, PEERS, PUBLIC, Audience
from node.database import change_tracking
from node.database.tables import now
from node.federating.identity import actors
from node.federating.models import Actor, Delivery, Follow, OutboxActivity
from node.federating.outbound import disclosures
from node.federating.peers import service as peers
from node.runtime import UnitOfWork

# Most inboxes per server that one activity is delivered to.
MAX_INBOXES_PER_HOST = 50
# Activities that are withdrawn with their object.
PUBLISHING_TYPES = names_of_types(lambda row: row.publishes_object)
_IS_NOT_LEASED = or_(Delivery.leased_until.is_(None), Delivery.leased_until < bindparam("now"))
_WAITING_DELIVERIES = select(Delivery.activity_id).where(
    Delivery.state == Delivery.WAITING_STATE,
    Delivery.host == bindparam("host"),
    Delivery.inbox == bindparam("inbox"),
    _IS_NOT_LEASED,
)
DELETE_SUPERSEDED = (
    delete(OutboxActivity)
    .where(
        OutboxActivity.id.in_(_WAITING_DELIVERIES), OutboxActivity.actor_id == bindparam("actor_id")
    )
    .where(OutboxActivity.type.in_(bindparam("kinds", expanding=True)))
    .where(OutboxActivity.audience == DIRECT)
    .execution_options(synchronize_session=False)
)
INSERT_DELIVERIES = insert(Delivery)


def publish(
    work: UnitOfWork, actor: Actor, activity: dict[str, Any], audience: Audience = PUBLIC
) -> OutboxActivity:
    """Publish `activity` to the followers of `actor`, once per shared inbox.

    With the audience `peers` it goes only to followers on servers that the operator allowed by
    name, in open mode too. A Delete goes to every server that ever received the object, whether or
    not it still follows.
    """
    return publish_to(work, actor, activity, follower_inboxes(work.session, actor), audience)


def publish_to(
    work: UnitOfWork,
    actor: Actor,
    activity: dict[str, Any],
    inboxes: set[str],
    audience: Audience = PUBLIC,
) -> OutboxActivity:
    """As `publish`, but to `inboxes` instead of those of followers."""
    session = work.session
    if audience == PEERS:
        inboxes = _filter_inboxes_of_allowed_hosts(session, inboxes)
    if activity_type(activity["type"]).must_reach_all:
        inboxes = inboxes | find_holder_inboxes(session, _ordering_key(activity))
        _cancel_unsent(session, _ordering_key(activity), inboxes)
    return _add_to_outbox(work, actor, activity, audience, inboxes)


def withdraw(
    work: UnitOfWork, actor: Actor, deletion: dict[str, Any], audience: Audience | None
) -> OutboxActivity:
    """Send a Delete of an object to every server that may no longer see it: its audience is now
    `audience`, or None for nobody. Earlier activities about it are hidden from them too.
    """
    session, object_uri = work.session, _ordering_key(deletion)
    inboxes = follower_inboxes(session, actor) | find_holder_inboxes(session, object_uri)
    if audience == PEERS:
        inboxes -= _filter_inboxes_of_allowed_hosts(session, inboxes)
    narrow_audience(session, object_uri, audience)
    _cancel_unsent(session, object_uri, inboxes)
    return _add_to_outbox(work, actor, deletion, DIRECT, inboxes)


def find_holder_inboxes(session: Session, object_uri: str) -> set[str]:
    """The inboxes of all servers that ever received an object."""
    query = select(Delivery.inbox).where(Delivery.object_uri == object_uri).distinct()
    return {*session.scalars(query), *disclosures.find_holder_inboxes(session, object_uri)}


def filter_non_peer_inboxes(session: Session, inboxes: set[str]) -> set[str]:
    """The inboxes among these on servers that the operator has not allowed by name."""
    return inboxes - _filter_inboxes_of_allowed_hosts(session, inboxes)


def narrow_audience(session: Session, object_uri: str, audience: Audience | None) -> None:
    """Restrict the activities about an object to `audience`; None for nobody."""
    _narrow(session, OutboxActivity.object_uri == object_uri, audience)


def narrow_audience_of_all(
    session: Session, object_uris: Select[str], audience: Audience | None
) -> None:
    """As `narrow_audience`, for several objects."""
    _narrow(session, OutboxActivity.object_uri.in_(object_uris), audience)


def _narrow(session: Session, condition: ColumnElement[bool], audience: Audience | None) -> None:
    wider = {PUBLIC} if audience == PEERS else {PUBLIC, PEERS}
    narrowed = update(OutboxActivity).where(condition, OutboxActivity.audience.in_(wider))
    session.execute(narrowed.values(audience=audience or NOBODY))


def _cancel_unsent(session: Session, object_uri: str, inboxes: set[str]) -> None:
    """Delete the deliveries of a withdrawn object that have not been sent."""
    activities = select(OutboxActivity.id).where(
        OutboxActivity.object_uri == object_uri, OutboxActivity.type.in_(PUBLISHING_TYPES)
    )
    is_idle = or_(Delivery.leased_until.is_(None), Delivery.leased_until < now())
    sorted_inboxes = sorted(inboxes)
    for start in range(0, len(sorted_inboxes), peers.MAX_SQL_VALUES):
        session.execute(
            delete(Delivery).where(
                Delivery.activity_id.in_(activities),
                Delivery.inbox.in_(sorted_inboxes[start : start + peers.MAX_SQL_VALUES]),
                Delivery.state != "delivered",
                is_idle,
            )
        )


def supersede(session: Session, actor: Actor, to: Actor, *types: str) -> None:
    """Delete the direct activities of these types from `actor` to `to` that have not been sent: a
    newer one replaces them.
    """
    delivery = {"host": to.host, "inbox": to.inbox, "now": now()}
    session.execute(DELETE_SUPERSEDED, {**delivery, "actor_id": actor.id, "kinds": types})


def send(
    work: UnitOfWork,
    actor: Actor,
    activity: dict[str, Any],
    to: Actor,
    *,
    owner: str | None = None,
) -> OutboxActivity:
    """Send `activity` to one actor only. `owner` gets the answers, if its type does not say who."""
    row = _add_to_outbox(work, actor, activity, DIRECT, {to.inbox})
    row.owner = owner
    return row


def was_sent_to(row: OutboxActivity, actor_uri: str) -> bool:
    """Whether an activity names this actor as a recipient."""
    body = json.loads(row.body)
    return actor_uri in recipients(body.get("to"), body.get("cc"))


@change_tracking.cached(
    {
        "follow": None,
        "actor": {"inbox", "shared_inbox", "kind", change_tracking.ADDED, change_tracking.REMOVED},
    }
)
def follower_inboxes(session: Session, actor: Actor, *kinds: str) -> set[str]:
    """The distinct inboxes of the followers of `actor`; only of actors of `kinds`, if given."""
    return _load_follower_inboxes(session, [actor], kinds)[actor]


def prefetch_follower_inboxes(session: Session, local_actors: Collection[Actor]) -> None:
    """Load `follower_inboxes` of all these actors with one query."""
    inboxes_by_actor = _load_follower_inboxes(session, local_actors, ())
    follower_inboxes.prime(
        session, {(actor,): inboxes for actor, inboxes in inboxes_by_actor.items()}
    )


def _load_follower_inboxes(
    session: Session, local_actors: Collection[Actor], kinds: Collection[str]
) -> dict[Actor, set[str]]:
    inbox = func.coalesce(Actor.shared_inbox, Actor.inbox)
    is_followed = Follow.followed_id.in_([actor.id for actor in local_actors])
    query = (
        select(Follow.followed_id, inbox)
        .join(Actor, Follow.follower_id == Actor.id)
        .where(is_followed, Follow.state == "accepted")
        .distinct()
    )
    if kinds:
        query = query.where(Actor.kind.in_(kinds))
    inboxes_by_id: dict[int, list[str]] = {actor.id: [] for actor in local_actors}
    for followed_id, inbox_url in session.execute(query.order_by(inbox)):
        inboxes_by_id[followed_id].append(inbox_url)
    return {actor: set(_limit_per_host(inboxes_by_id[actor.id])) for actor in local_actors}


def _limit_per_host(inboxes: Iterable[str]) -> Iterator[str]:
    """At most `MAX_INBOXES_PER_HOST` of each server, so that a server with thousands of inboxes
    does not cause thousands of deliveries.
    """
    counts: Counter[str] = Counter()
    for inbox in inboxes:
        host = host_of(inbox)
        counts[host] += 1
        if counts[host] <= MAX_INBOXES_PER_HOST:
            yield inbox


def _filter_inboxes_of_allowed_hosts(session: Session, inboxes: set[str]) -> set[str]:
    hosts = {inbox: host_of(inbox) for inbox in inboxes}
    allowed = peers.explicitly_allowed_among(session, set(hosts.values()))
    return {inbox for inbox, host in hosts.items() if host in allowed}


def _add_to_outbox(
    work: UnitOfWork, actor: Actor, activity: dict[str, Any], audience: str, inboxes: set[str]
) -> OutboxActivity:
    session = work.session
    if audience != DIRECT:  # others may forward it
        activity = add_proof(activity, actors.get_proof_key(actor), now())
    row = OutboxActivity(
        uri=activity["id"],
        actor=actor,
        type=activity["type"],
        object_uri=_ordering_key(activity),
        body=json.dumps(activity, ensure_ascii=False, separators=(",", ":")),
        audience=audience,
    )
    session.add(row)
    session.flush()
    hosts = {inbox: host_of(inbox) for inbox in sorted(inboxes)}
    reachable = peers.allowed_among(session, work.settings, set(hosts.values()))
    deliveries = [
        {"activity_id": row.id, "inbox": inbox, "host": host, "object_uri": row.object_uri}
        for inbox, host in hosts.items()
        if host in reachable and host != work.settings.authority
    ]
    if deliveries:
        session.connection().execute(INSERT_DELIVERIES, deliveries)
    work.wake(Delivery.JOB)
    return row


def _ordering_key(activity: dict[str, Any]) -> str:
    """Ordering key of a delivery: the innermost object id, so that an Undo follows the activity it
    undoes and an object follows its Announce.
    """
    while activity_type(activity["type"]).wraps_activity:
        inner = activity["object"]
        if not isinstance(inner, dict) or "object" not in inner:
            break
        activity = inner
    return id_of(activity["object"]) or ""
