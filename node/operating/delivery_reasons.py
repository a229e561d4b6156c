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
from node.federating import actors, dead_letters, delivery, disclosures, peers
from node.federating.models import Actor, Delivery, Disclosure, Follow, OutboxActivity, Peer
from node.operating.inspected_objects import InspectedObject
from node.settings import Settings

REFUSED_STATUSES, NO_ADDRESS_STATUSES = frozenset({401, 403}), frozenset({404, 410})
# What stands in place of an answer where nothing was sent any more.
NOT_TRIED = {
    dead_letters.HOST_UNREACHABLE: "too_old",
    delivery.CANCELLED_BY_OPERATOR: "stopped",
    peers.HOST_BLOCKED: "was_blocked",
}
# What a deletion is called where the object is still there for others.
REVOCATION_REASONS = {"deleted": "taken_back", "asked_to_delete": "taking_back"}
# So many hosts are listed for one object, those that something happened with last first.
MAX_HOSTS = 200


@dataclass(frozen=True)
class HostOutcome:
    """What became of one object at one host.

    `reason` is one that `node.operating.explanations` has words for. `at` is when that was,
    or is to be; `answer` is what the host said last; `earlier_at` is when it got what the object
    said before, if it has not got what it says now.
    """

    host: str
    reason: str
    at: datetime | None = None
    answer: str = ""
    attempts: int = 0
    earlier_at: datetime | None = None


def list_outcomes(
    session: Session, settings: Settings, subject: InspectedObject
) -> list[HostOutcome]:
    """One story for each host that follows, was sent it or fetched it."""
    hosts: dict[str, None] = {}
    for found in (
        _delivered_to(subject),
        select(Disclosure.host)
        .where(Disclosure.object_uri == subject.uri)
        .order_by(Disclosure.last_at.desc()),
        _followers(subject),
    ):
        hosts |= dict.fromkeys(session.scalars(found.limit(MAX_HOSTS)))
    hosts.pop(settings.authority, None)
    return [outcome_at_host(session, settings, subject, host) for host in list(hosts)[:MAX_HOSTS]]


def outcome_at_host(
    session: Session, settings: Settings, subject: InspectedObject, host: str
) -> HostOutcome:
    """Why `host` has `subject`, or has not."""
    if host == settings.authority:
        return HostOutcome(host, "own")
    if not subject.is_local and (not subject.is_forwarded or host == subject.origin):
        return HostOutcome(host, "from_there" if subject.is_forwarded else "not_ours")
    told = _last_delivery(session, subject, host)
    shared = session.scalar(
        select(Disclosure).where(Disclosure.object_uri == subject.uri, Disclosure.host == host)
    )
    if told is None or told.state != "delivered":
        barred = _find_prohibition(session, settings, subject, host)
        if barred is not None and (told is None or barred in {"blocked", "not_allowed"}):
            attempts = told.attempts if told else 0
            story = HostOutcome(host, barred, answer=_last_answer(told), attempts=attempts)
            return _with_earlier_version(story, shared)
    if told is not None:
        return _with_earlier_version(_from_delivery(session, subject, told, shared), shared)
    if shared is not None:
        return _from_disclosure(subject, shared)
    return _never_sent(session, subject, host)


def _with_earlier_version(story: HostOutcome, shared: Disclosure | None) -> HostOutcome:
    """`story`, and when the host got what it has instead."""
    has_other = story.reason not in {"delivered", *REVOCATION_REASONS.values()}
    if shared is None or shared.deleted_at is not None or not has_other:
        return story
    return replace(story, earlier_at=shared.last_at)


def _from_disclosure(subject: InspectedObject, shared: Disclosure) -> HostOutcome:
    """What is known once the deliveries themselves are forgotten, or where there were none."""
    if shared.deleted_at is not None:
        return HostOutcome(shared.host, _deletion_reason(subject, "deleted"), shared.deleted_at)
    reason = "fetched" if shared.type == disclosures.FETCHED else "delivered"
    return HostOutcome(shared.host, reason, shared.last_at)


def _deletion_reason(subject: InspectedObject, reason: str) -> str:
    """`reason`, or what it is called where the object is only not for that host any more."""
    return reason if subject.state == "deleted" else REVOCATION_REASONS[reason]


def _find_prohibition(
    session: Session, settings: Settings, subject: InspectedObject, host: str
) -> str | None:
    """What forbids that anything of it is sent to `host`."""
    if subject.state in {"held", "hidden"}:
        return subject.state
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


def _from_delivery(
    session: Session, subject: InspectedObject, told: Delivery, shared: Disclosure | None
) -> HostOutcome:
    is_deletion = told.activity.type == "Delete"
    if told.state == "delivered":
        reason = _deletion_reason(subject, "deleted") if is_deletion else "delivered"
        at = shared.deleted_at if shared is not None and is_deletion else told.finished_at
        return HostOutcome(told.host, reason, at, _last_answer(told), told.attempts)
    if told.state == "failed":
        return HostOutcome(
            told.host, _failure_reason(told), told.finished_at, _last_answer(told), told.attempts
        )
    peer = session.scalar(select(Peer).where(Peer.host == told.host))
    if peer is not None and peer.try_after is not None and peer.try_after > now():
        return HostOutcome(
            told.host, "unreachable", peer.try_after, peer.last_answer, told.attempts
        )
    earlier = select(Delivery.id).where(
        Delivery.inbox == told.inbox,
        Delivery.object_uri == told.object_uri,
        Delivery.state == Delivery.WAITING,
        Delivery.id < told.id,
    )
    if session.scalar(earlier.limit(1)) is not None:
        return HostOutcome(told.host, "behind", told.due_at, _last_answer(told), told.attempts)
    reason = _deletion_reason(subject, "asked_to_delete") if is_deletion else _pending_reason(told)
    return HostOutcome(told.host, reason, told.due_at, _last_answer(told), told.attempts)


def _pending_reason(told: Delivery) -> str:
    """What is so far of something that is tried again by itself."""
    if not told.tries:
        return "waiting"
    return "refusing" if told.tries[-1].status in REFUSED_STATUSES else "trying"


def _failure_reason(told: Delivery) -> str:
    """Why something is not tried any more."""
    last = told.tries[-1] if told.tries else None
    if last is None:
        return "gave_up"
    if last.status is None:
        return NOT_TRIED.get(last.answer, _timeout_reason(told))
    if last.status in REFUSED_STATUSES:
        return "refused"
    if last.status in NO_ADDRESS_STATUSES:
        return "no_address"
    return "gave_up" if last.status < 500 else "too_old"


def _timeout_reason(told: Delivery) -> str:
    """Nobody answered: for so long, or it was vain to ask."""
    finished = told.finished_at or now()
    return "too_old" if finished - told.trying_since >= GIVE_UP_AFTER else "gave_up"


def _never_sent(session: Session, subject: InspectedObject, host: str) -> HostOutcome:
    """Nothing was ever sent there: nobody follows, or whoever does came later."""
    accepted = (
        select(Follow.answered_at)
        .where(actors.on_host(Follow.follower_id, host))
        .where(Follow.followed.has(Actor.uri.in_(subject.speaker_uris)), Follow.state == "accepted")
    )
    since = session.scalars(accepted.order_by(Follow.answered_at).limit(1)).first()
    if since is None:
        return HostOutcome(host, "nobody_follows")
    if subject.published_at is not None and since > subject.published_at:
        return HostOutcome(host, "followed_later", since)
    return HostOutcome(host, "never_sent", since)


def _last_delivery(session: Session, subject: InspectedObject, host: str) -> Delivery | None:
    query = select(Delivery).where(Delivery.host == host, is_about(subject))
    return session.scalars(query.order_by(Delivery.id.desc()).limit(1)).first()


def _delivered_to(subject: InspectedObject) -> Select[str]:
    newest_first = func.max(Delivery.id).desc()
    return (
        select(Delivery.host)
        .where(is_about(subject))
        .group_by(Delivery.host)
        .order_by(newest_first)
    )


def _followers(subject: InspectedObject) -> Select[str]:
    return (
        select(Actor.host)
        .join(Follow, Follow.follower_id == Actor.id)
        .where(Follow.followed.has(Actor.uri.in_(subject.speaker_uris)), Follow.state == "accepted")
        .distinct()
    )


def is_about(subject: InspectedObject) -> ColumnElement[bool]:
    """Deliveries of an object, with those that pass on what was said of it; or of one activity."""
    said = select(OutboxActivity)
    if subject.kind == "activity":
        same = said.with_only_columns(OutboxActivity.id).where(OutboxActivity.uri == subject.uri)
        return Delivery.activity_id.in_(same)
    passed_on = said.with_only_columns(OutboxActivity.uri).where(
        OutboxActivity.object_uri == subject.uri
    )
    return or_(Delivery.object_uri == subject.uri, Delivery.object_uri.in_(passed_on))


def _last_answer(told: Delivery | None) -> str:
    """What was answered to the last attempt, with its status."""
    if told is None or not told.tries:
        return ""
    last = told.tries[-1]
    return f"{last.status or ''} {last.answer}".strip()
