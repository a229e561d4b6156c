"""Why a host has something of ours, or has not: one reason for each host, in the order in which the
node itself decides.

The pages and the command line put a reason in words.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from federation.retry import GIVE_UP_AFTER
from node.db import now
from node.federating import actors, delivery, giving_up, peers, sharing
from node.federating.models import Actor, Delivery, Follow, OutboxActivity, Peer, Shared
from node.operating.subjects import Subject
from node.settings import Settings

REFUSED, NO_ADDRESS = frozenset({401, 403}), frozenset({404, 410})
# What stands in place of an answer where nothing was sent any more.
NOT_TRIED = {
    giving_up.LOST: "too_old",
    delivery.GIVEN_UP: "stopped",
    peers.BLOCKED_SINCE: "was_blocked",
}
# What a deletion is called where the object is still there for others.
ENDS = {"deleted": "taken_back", "asked_to_delete": "taking_back"}
# So many hosts are listed for one object, those that something happened with last first.
MOST_HOSTS = 200


@dataclass(frozen=True)
class Story:
    """What became of one object at one host.

    `reason` is one of those that `node.operating.explaining` has words for. `at` is when that was,
    or is to be; `answer` is what the host said last; `earlier_at` is when it got what the object
    said before, if it has not got what it says now.
    """

    host: str
    reason: str
    at: datetime | None = None
    answer: str = ""
    attempts: int = 0
    earlier_at: datetime | None = None


def stories(session: Session, settings: Settings, subject: Subject) -> list[Story]:
    """One story for each host that follows, was sent it or fetched it."""
    hosts: dict[str, None] = {}
    for found in (
        _delivered_to(subject),
        select(Shared.host).where(Shared.object_uri == subject.uri).order_by(Shared.last_at.desc()),
        _followers(subject),
    ):
        hosts |= dict.fromkeys(session.scalars(found.limit(MOST_HOSTS)))
    hosts.pop(settings.authority, None)
    return [story(session, settings, subject, host) for host in list(hosts)[:MOST_HOSTS]]


def story(session: Session, settings: Settings, subject: Subject, host: str) -> Story:
    """Why `host` has `subject`, or has not."""
    if host == settings.authority:
        return Story(host, "own")
    if not subject.is_local and (not subject.is_passed_on or host == subject.origin):
        return Story(host, "from_there" if subject.is_passed_on else "not_ours")
    told = _last_delivery(session, subject, host)
    shared = session.scalar(
        select(Shared).where(Shared.object_uri == subject.uri, Shared.host == host)
    )
    if told is None or told.state != "delivered":
        barred = _barred(session, settings, subject, host)
        if barred is not None and (told is None or barred in {"blocked", "not_allowed"}):
            attempts = told.attempts if told else 0
            story = Story(host, barred, answer=_answer(told), attempts=attempts)
            return _with_what_it_got(story, shared)
    if told is not None:
        return _with_what_it_got(_of_delivery(session, subject, told, shared), shared)
    if shared is not None:
        return _of_ledger(subject, shared)
    return _never(session, subject, host)


def _with_what_it_got(story: Story, shared: Shared | None) -> Story:
    """`story`, and when the host got what it has instead."""
    has_other = story.reason not in {"delivered", *ENDS.values()}
    if shared is None or shared.deleted_at is not None or not has_other:
        return story
    return replace(story, earlier_at=shared.last_at)


def _of_ledger(subject: Subject, shared: Shared) -> Story:
    """What is known once the deliveries themselves are forgotten, or where there were none."""
    if shared.deleted_at is not None:
        return Story(shared.host, _end(subject, "deleted"), shared.deleted_at)
    reason = "fetched" if shared.type == sharing.FETCHED else "delivered"
    return Story(shared.host, reason, shared.last_at)


def _end(subject: Subject, reason: str) -> str:
    """`reason`, or what it is called where the object is only not for that host any more."""
    return reason if subject.standing == "deleted" else ENDS[reason]


def _barred(session: Session, settings: Settings, subject: Subject, host: str) -> str | None:
    """What forbids that anything of it is sent to `host`."""
    if subject.standing in {"held", "hidden"}:
        return subject.standing
    if subject.published_at is None:
        return "draft"
    if subject.audience == "private":
        return "private"
    if not peers.is_allowed(session, settings, host):
        return "blocked" if peers.is_blocked(session, host) else "not_allowed"
    if subject.audience == "peers":
        state = session.scalar(select(Peer.state).where(Peer.host == host))
        if state != peers.ALLOWED:
            return "peers_only"
    return None


def _of_delivery(
    session: Session, subject: Subject, told: Delivery, shared: Shared | None
) -> Story:
    is_deletion = told.activity.type == "Delete"
    if told.state == "delivered":
        reason = _end(subject, "deleted") if is_deletion else "delivered"
        at = shared.deleted_at if shared is not None and is_deletion else told.finished_at
        return Story(told.host, reason, at, _answer(told), told.attempts)
    if told.state == "failed":
        return Story(told.host, _given_up(told), told.finished_at, _answer(told), told.attempts)
    peer = session.scalar(select(Peer).where(Peer.host == told.host))
    if peer is not None and peer.try_after is not None and peer.try_after > now():
        return Story(told.host, "unreachable", peer.try_after, peer.last_answer, told.attempts)
    earlier = select(Delivery.id).where(
        Delivery.inbox == told.inbox,
        Delivery.object_uri == told.object_uri,
        Delivery.state == Delivery.WAITING,
        Delivery.id < told.id,
    )
    if session.scalar(earlier.limit(1)) is not None:
        return Story(told.host, "behind", told.due_at, _answer(told), told.attempts)
    reason = _end(subject, "asked_to_delete") if is_deletion else _waiting(told)
    return Story(told.host, reason, told.due_at, _answer(told), told.attempts)


def _waiting(told: Delivery) -> str:
    """What is so far of something that is tried again by itself."""
    if not told.tries:
        return "waiting"
    return "refusing" if told.tries[-1].status in REFUSED else "trying"


def _given_up(told: Delivery) -> str:
    """Why something is not tried any more."""
    last = told.tries[-1] if told.tries else None
    if last is None:
        return "gave_up"
    if last.status is None:
        return NOT_TRIED.get(last.answer, _too_old(told))
    if last.status in REFUSED:
        return "refused"
    if last.status in NO_ADDRESS:
        return "no_address"
    return "gave_up" if last.status < 500 else "too_old"


def _too_old(told: Delivery) -> str:
    """Nobody answered: for so long, or it was vain to ask."""
    finished = told.finished_at or now()
    return "too_old" if finished - told.trying_since >= GIVE_UP_AFTER else "gave_up"


def _never(session: Session, subject: Subject, host: str) -> Story:
    """Nothing was ever sent there: nobody follows, or whoever does came later."""
    accepted = (
        select(Follow.answered_at)
        .where(actors.on_host(Follow.follower_id, host))
        .where(Follow.followed.has(Actor.uri.in_(subject.spoken_by)), Follow.state == "accepted")
    )
    since = session.scalars(accepted.order_by(Follow.answered_at).limit(1)).first()
    if since is None:
        return Story(host, "nobody_follows")
    if subject.published_at is not None and since > subject.published_at:
        return Story(host, "followed_later", since)
    return Story(host, "never_sent", since)


def _last_delivery(session: Session, subject: Subject, host: str) -> Delivery | None:
    query = select(Delivery).where(Delivery.host == host, about(subject))
    return session.scalars(query.order_by(Delivery.id.desc()).limit(1)).first()


def _delivered_to(subject: Subject) -> Select[str]:
    newest_first = func.max(Delivery.id).desc()
    return (
        select(Delivery.host).where(about(subject)).group_by(Delivery.host).order_by(newest_first)
    )


def _followers(subject: Subject) -> Select[str]:
    return (
        select(Actor.host)
        .join(Follow, Follow.follower_id == Actor.id)
        .where(Follow.followed.has(Actor.uri.in_(subject.spoken_by)), Follow.state == "accepted")
        .distinct()
    )


def about(subject: Subject) -> ColumnElement[bool]:
    """Deliveries of an object, with those that pass on what was said of it; or of one activity."""
    said = select(OutboxActivity)
    if subject.kind == "activity":
        same = said.with_only_columns(OutboxActivity.id).where(OutboxActivity.uri == subject.uri)
        return Delivery.activity_id.in_(same)
    passed_on = said.with_only_columns(OutboxActivity.uri).where(
        OutboxActivity.object_uri == subject.uri
    )
    return or_(Delivery.object_uri == subject.uri, Delivery.object_uri.in_(passed_on))


def _answer(told: Delivery | None) -> str:
    """What was answered to the last attempt, with its status."""
    if told is None or not told.tries:
        return ""
    last = told.tries[-1]
    return f"{last.status or ''} {last.answer}".strip()
