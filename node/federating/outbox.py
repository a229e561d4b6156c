"""From an activity to the rows that will be delivered.

The activity and its deliveries exist together or not at all.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from federation.origin import host_of
from federation.proofs import add_proof
from federation.vocabulary import id_of
from node import change_tracking
from node.db import now
from node.federating import actors, disclosures, peers
from node.federating.models import Actor, Delivery, Follow, OutboxActivity
from node.runtime import UnitOfWork

PUBLIC: Literal["public"] = "public"
PEERS: Literal["peers"] = "peers"
DIRECT: Literal["direct"] = "direct"
# What was withdrawn: whoever got it keeps it, and nobody else gets it.
NOBODY: Literal["nobody"] = "nobody"
Audience = Literal["public", "peers"]
# An activity goes to so many inboxes of one server.
MAX_INBOXES_PER_HOST = 50
# Activities that carry or show what they are about.
CONTENT_ACTIVITIES = ("Create", "Update", "Announce")
_NOT_LEASED = or_(Delivery.leased_until.is_(None), Delivery.leased_until < bindparam("now"))
_WAITING_DELIVERIES = select(Delivery.activity_id).where(
    Delivery.state == Delivery.WAITING,
    Delivery.host == bindparam("host"),
    Delivery.inbox == bindparam("inbox"),
    _NOT_LEASED,
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
    """Put `activity` in the outbox of `actor`, for its followers; once for each shared inbox.

    What is for `peers` goes to followers on servers that the operator allowed by name, and to no
    unknown one, in open mode either. A Delete goes to all who ever got the object, whether they
    still follow or not.
    """
    return publish_to(work, actor, activity, follower_inboxes(work.session, actor), audience)


def publish_to(
    work: UnitOfWork,
    actor: Actor,
    activity: dict[str, Any],
    inboxes: set[str],
    audience: Audience = PUBLIC,
) -> OutboxActivity:
    """As `publish`, for `inboxes` instead of the followers'."""
    session = work.session
    if audience == PEERS:
        inboxes = _explicitly_allowed(session, inboxes)
    if activity["type"] == "Delete":
        inboxes = inboxes | holder_inboxes(session, _ordering_key(activity))
        _cancel_unsent(session, _ordering_key(activity), inboxes)
    return _add_to_outbox(work, actor, activity, audience, inboxes)


def withdraw(
    work: UnitOfWork, actor: Actor, deletion: dict[str, Any], audience: Audience | None
) -> OutboxActivity:
    """Send a Delete of what is now for `audience` alone, or for nobody else, to all others who
    ever got it. What was said of it before is no longer shown to them either.
    """
    session, about = work.session, _ordering_key(deletion)
    inboxes = follower_inboxes(session, actor) | holder_inboxes(session, about)
    if audience == PEERS:
        inboxes -= _explicitly_allowed(session, inboxes)
    narrow_audience(session, about, audience)
    _cancel_unsent(session, about, inboxes)
    return _add_to_outbox(work, actor, deletion, DIRECT, inboxes)


def holder_inboxes(session: Session, object_uri: str) -> set[str]:
    """Where all hear who ever got an object."""
    earlier = select(Delivery.inbox).where(Delivery.object_uri == object_uri).distinct()
    return {*session.scalars(earlier), *disclosures.holder_inboxes(session, object_uri)}


def non_peer_inboxes(session: Session, inboxes: set[str]) -> set[str]:
    """Those of `inboxes` that do not get what is for peers."""
    return inboxes - _explicitly_allowed(session, inboxes)


def narrow_audience(session: Session, object_uri: str, audience: Audience | None) -> None:
    """What we said of an object so far is for `audience` alone from now on, or for nobody else."""
    _narrow(session, OutboxActivity.object_uri == object_uri, audience)


def narrow_audience_of_all(
    session: Session, object_uris: Select[str], audience: Audience | None
) -> None:
    """The same of several objects."""
    _narrow(session, OutboxActivity.object_uri.in_(object_uris), audience)


def _narrow(session: Session, which: ColumnElement[bool], audience: Audience | None) -> None:
    wider = {PUBLIC} if audience == PEERS else {PUBLIC, PEERS}
    hidden = update(OutboxActivity).where(which, OutboxActivity.audience.in_(wider))
    session.execute(hidden.values(audience=audience or NOBODY))


def _cancel_unsent(session: Session, object_uri: str, inboxes: set[str]) -> None:
    """What has not been sent yet of something that is withdrawn never is, however late."""
    saying = select(OutboxActivity.id).where(
        OutboxActivity.object_uri == object_uri, OutboxActivity.type.in_(CONTENT_ACTIVITIES)
    )
    is_idle = or_(Delivery.leased_until.is_(None), Delivery.leased_until < now())
    listed = sorted(inboxes)
    for start in range(0, len(listed), peers.MAX_SQL_VALUES):
        session.execute(
            delete(Delivery).where(
                Delivery.activity_id.in_(saying),
                Delivery.inbox.in_(listed[start : start + peers.MAX_SQL_VALUES]),
                Delivery.state != "delivered",
                is_idle,
            )
        )


def supersede(session: Session, actor: Actor, to: Actor, *kinds: str) -> None:
    """What `actor` said to `to` alone by an activity of `kinds`, and has not been sent yet, never
    is: something newer takes its place.
    """
    to_them = {"host": to.host, "inbox": to.inbox, "now": now()}
    session.execute(DELETE_SUPERSEDED, {**to_them, "actor_id": actor.id, "kinds": kinds})


def send(work: UnitOfWork, actor: Actor, activity: dict[str, Any], to: Actor) -> OutboxActivity:
    """Send `activity` to one actor, for nobody else to read."""
    return _add_to_outbox(work, actor, activity, DIRECT, {to.inbox})


@change_tracking.cached(
    {
        "follow": None,
        "actor": {"inbox", "shared_inbox", "kind", change_tracking.ADDED, change_tracking.REMOVED},
    }
)
def follower_inboxes(session: Session, actor: Actor, *kinds: str) -> set[str]:
    """Where the followers of `actor` hear, each once; of actors of `kinds` only, if any."""
    return _load_follower_inboxes(session, [actor], kinds)[actor]


def prefetch_follower_inboxes(session: Session, of: Collection[Actor]) -> None:
    """Ask at once what `followers` will be asked of each of these actors."""
    found = _load_follower_inboxes(session, of, ())
    follower_inboxes.prime(session, {(actor,): inboxes for actor, inboxes in found.items()})


def _load_follower_inboxes(
    session: Session, of: Collection[Actor], kinds: Collection[str]
) -> dict[Actor, set[str]]:
    inbox = func.coalesce(Actor.shared_inbox, Actor.inbox)
    followed = Follow.followed_id.in_([actor.id for actor in of])
    query = (
        select(Follow.followed_id, inbox)
        .join(Actor, Follow.follower_id == Actor.id)
        .where(followed, Follow.state == "accepted")
        .distinct()
    )
    if kinds:
        query = query.where(Actor.kind.in_(kinds))
    found: dict[int, list[str]] = {actor.id: [] for actor in of}
    for followed_id, address in session.execute(query.order_by(inbox)):
        found[followed_id].append(address)
    return {actor: set(_limit_per_host(found[actor.id])) for actor in of}


def _limit_per_host(inboxes: Iterable[str]) -> Iterator[str]:
    """A server has one inbox for all, or few: a thousand actors make us send no thousand times."""
    counts: Counter[str] = Counter()
    for inbox in inboxes:
        host = host_of(inbox)
        counts[host] += 1
        if counts[host] <= MAX_INBOXES_PER_HOST:
            yield inbox


def _explicitly_allowed(session: Session, inboxes: set[str]) -> set[str]:
    hosts = {inbox: host_of(inbox) for inbox in inboxes}
    allowed = peers.explicitly_allowed_among(session, set(hosts.values()))
    return {inbox for inbox, host in hosts.items() if host in allowed}


def _add_to_outbox(
    work: UnitOfWork, actor: Actor, activity: dict[str, Any], audience: str, inboxes: set[str]
) -> OutboxActivity:
    session = work.session
    if audience != DIRECT:  # others may pass it on
        activity = add_proof(activity, actors.proof_key(actor), now())
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
    """What deliveries are kept in order by: what it is about in the end, so an Undo comes after
    the Follow of the same actor, and what is announced after its announcement.
    """
    while activity["type"] in {"Undo", "Announce"}:
        about = activity["object"]
        if not isinstance(about, dict) or "object" not in about:
            break
        activity = about
    return id_of(activity["object"]) or ""
