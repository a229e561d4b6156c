"""Explains why a host has a copy of an object or lacks one: one reason for each host, checked in
the order in which the node itself decides.

`node.operating.explanations` puts the reasons into words.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from federation.retry import GIVE_UP_AFTER
from federation.vocabulary.activity_types import DELETE
from node.database.tables import now
from node.federating.identity import actors
from node.federating.models import Actor, Delivery, Disclosure, Follow, OutboxActivity, Peer
from node.federating.outbound import delivery, disclosures
from node.federating.peers import dead_letters
from node.federating.peers import service as peers
from node.operating.inspected_objects import InspectedObject
from node.settings import Settings

REFUSED_STATUSES, NO_ADDRESS_STATUSES = frozenset({401, 403}), frozenset({404, 410})
# Reasons for deliveries that were cancelled: the note recorded instead of a response.
CANCELLATION_REASONS = {
    dead_letters.HOST_UNREACHABLE_REASON: "too_old",
    delivery.CANCELLED_BY_OPERATOR: "stopped",
    peers.HOST_BLOCKED_REASON: "was_blocked",
}
# Reasons for a deletion sent to one host only, because it may no longer have the object.
REVOCATION_REASONS = {"deleted": "taken_back", "asked_to_delete": "taking_back"}
# Hosts listed for one object, the most recently active first.
MAX_HOSTS = 200


@dataclass(frozen=True)
class HostOutcome:
    """The state of one object at one host.

    `reason` is a key of `node.operating.explanations.EXPLANATIONS`. `at` is when it came to hold,
    or when the next attempt is due. `answer` is the host's last response. `earlier_at` is when the
    host got an earlier version, if it does not have the current one.
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
    """One outcome for each host that follows, was sent the object or fetched it."""
    hosts: dict[str, None] = {}
    for query in (
        _select_delivered_hosts(subject),
        select(Disclosure.host)
        .where(Disclosure.object_uri == subject.uri)
        .order_by(Disclosure.last_at.desc()),
        _select_follower_hosts(subject),
    ):
        hosts |= dict.fromkeys(session.scalars(query.limit(MAX_HOSTS)))
    hosts.pop(settings.authority, None)
    return [outcome_at_host(session, settings, subject, host) for host in list(hosts)[:MAX_HOSTS]]


def outcome_at_host(
    session: Session, settings: Settings, subject: InspectedObject, host: str
) -> HostOutcome:
    """Why `host` has a copy of `subject`, or lacks one."""
    if host == settings.authority:
        return HostOutcome(host, "own")
    if not subject.is_local and (not subject.is_forwarded or host == subject.origin):
        return HostOutcome(host, "from_there" if subject.is_forwarded else "not_ours")
    delivery_row = _find_last_delivery(session, subject, host)
    disclosure = session.scalar(
        select(Disclosure).where(Disclosure.object_uri == subject.uri, Disclosure.host == host)
    )
    if delivery_row is None or delivery_row.state != "delivered":
        prohibition = _find_prohibition(session, settings, subject, host)
        if prohibition is not None and (
            delivery_row is None or prohibition in {"blocked", "not_allowed"}
        ):
            attempts = delivery_row.attempts if delivery_row else 0
            outcome = HostOutcome(
                host, prohibition, answer=_last_answer(delivery_row), attempts=attempts
            )
            return _with_earlier_version(outcome, disclosure)
    if delivery_row is not None:
        return _with_earlier_version(
            _outcome_of_delivery(session, subject, delivery_row, disclosure), disclosure
        )
    if disclosure is not None:
        return _outcome_of_disclosure(subject, disclosure)
    return _outcome_if_never_sent(session, subject, host)


def _with_earlier_version(outcome: HostOutcome, disclosure: Disclosure | None) -> HostOutcome:
    """`outcome` with the time at which the host got an earlier version, if it has one."""
    lacks_current = outcome.reason not in {"delivered", *REVOCATION_REASONS.values()}
    if disclosure is None or disclosure.deleted_at is not None or not lacks_current:
        return outcome
    return replace(outcome, earlier_at=disclosure.last_at)


def _outcome_of_disclosure(subject: InspectedObject, disclosure: Disclosure) -> HostOutcome:
    """The outcome where there are no deliveries, or where they have been pruned."""
    if disclosure.deleted_at is not None:
        return HostOutcome(
            disclosure.host, _deletion_reason(subject, "deleted"), disclosure.deleted_at
        )
    reason = "fetched" if disclosure.type == disclosures.FETCH_TYPE else "delivered"
    return HostOutcome(disclosure.host, reason, disclosure.last_at)


def _deletion_reason(subject: InspectedObject, reason: str) -> str:
    """`reason`, or its variant for an object that was deleted only for that host."""
    return reason if subject.state == "deleted" else REVOCATION_REASONS[reason]


def _find_prohibition(
    session: Session, settings: Settings, subject: InspectedObject, host: str
) -> str | None:
    """The reason why `subject` must not be sent to `host`; None if it may be."""
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


def _outcome_of_delivery(
    session: Session,
    subject: InspectedObject,
    delivery_row: Delivery,
    disclosure: Disclosure | None,
) -> HostOutcome:
    is_deletion = delivery_row.activity.type == DELETE
    if delivery_row.state == "delivered":
        reason = _deletion_reason(subject, "deleted") if is_deletion else "delivered"
        at = (
            disclosure.deleted_at
            if disclosure is not None and is_deletion
            else delivery_row.finished_at
        )
        return HostOutcome(
            delivery_row.host, reason, at, _last_answer(delivery_row), delivery_row.attempts
        )
    if delivery_row.state == "failed":
        return HostOutcome(
            delivery_row.host,
            _failure_reason(delivery_row),
            delivery_row.finished_at,
            _last_answer(delivery_row),
            delivery_row.attempts,
        )
    peer = session.scalar(select(Peer).where(Peer.host == delivery_row.host))
    if peer is not None and peer.try_after is not None and peer.try_after > now():
        return HostOutcome(
            delivery_row.host,
            "unreachable",
            peer.try_after,
            peer.last_answer,
            delivery_row.attempts,
        )
    earlier = select(Delivery.id).where(
        Delivery.inbox == delivery_row.inbox,
        Delivery.object_uri == delivery_row.object_uri,
        Delivery.state == Delivery.WAITING_STATE,
        Delivery.id < delivery_row.id,
    )
    if session.scalar(earlier.limit(1)) is not None:
        return HostOutcome(
            delivery_row.host,
            "behind",
            delivery_row.due_at,
            _last_answer(delivery_row),
            delivery_row.attempts,
        )
    reason = (
        _deletion_reason(subject, "asked_to_delete")
        if is_deletion
        else _pending_reason(delivery_row)
    )
    return HostOutcome(
        delivery_row.host,
        reason,
        delivery_row.due_at,
        _last_answer(delivery_row),
        delivery_row.attempts,
    )


def _pending_reason(delivery_row: Delivery) -> str:
    """The reason for a delivery that will be retried."""
    if not delivery_row.tries:
        return "waiting"
    return "refusing" if delivery_row.tries[-1].status in REFUSED_STATUSES else "trying"


def _failure_reason(delivery_row: Delivery) -> str:
    """The reason for a delivery that is no longer retried."""
    last_attempt = delivery_row.tries[-1] if delivery_row.tries else None
    if last_attempt is None:
        return "gave_up"
    if last_attempt.status is None:
        return CANCELLATION_REASONS.get(last_attempt.answer, _timeout_reason(delivery_row))
    if last_attempt.status in REFUSED_STATUSES:
        return "refused"
    if last_attempt.status in NO_ADDRESS_STATUSES:
        return "no_address"
    return "gave_up" if last_attempt.status < 500 else "too_old"


def _timeout_reason(delivery_row: Delivery) -> str:
    """The reason for a failed delivery without a response: the retry period ended, or not."""
    finished = delivery_row.finished_at or now()
    return "too_old" if finished - delivery_row.trying_since >= GIVE_UP_AFTER else "gave_up"


def _outcome_if_never_sent(session: Session, subject: InspectedObject, host: str) -> HostOutcome:
    """The reason where no delivery was ever made: no followers there, or only later ones."""
    accepted = (
        select(Follow.answered_at)
        .where(actors.is_on_host(Follow.follower_id, host))
        .where(Follow.followed.has(Actor.uri.in_(subject.sender_uris)), Follow.state == "accepted")
    )
    since = session.scalars(accepted.order_by(Follow.answered_at).limit(1)).first()
    if since is None:
        return HostOutcome(host, "nobody_follows")
    if subject.published_at is not None and since > subject.published_at:
        return HostOutcome(host, "followed_later", since)
    return HostOutcome(host, "never_sent", since)


def _find_last_delivery(session: Session, subject: InspectedObject, host: str) -> Delivery | None:
    query = select(Delivery).where(Delivery.host == host, is_about_subject(subject))
    return session.scalars(query.order_by(Delivery.id.desc()).limit(1)).first()


def _select_delivered_hosts(subject: InspectedObject) -> Select[str]:
    newest_first = func.max(Delivery.id).desc()
    return (
        select(Delivery.host)
        .where(is_about_subject(subject))
        .group_by(Delivery.host)
        .order_by(newest_first)
    )


def _select_follower_hosts(subject: InspectedObject) -> Select[str]:
    return (
        select(Actor.host)
        .join(Follow, Follow.follower_id == Actor.id)
        .where(Follow.followed.has(Actor.uri.in_(subject.sender_uris)), Follow.state == "accepted")
        .distinct()
    )


def is_about_subject(subject: InspectedObject) -> ColumnElement[bool]:
    """Condition for the deliveries of an object, including forwarded activities about it; for an
    activity, those of that activity alone.
    """
    activities = select(OutboxActivity)
    if subject.kind == "activity":
        named_activity = activities.with_only_columns(OutboxActivity.id).where(
            OutboxActivity.uri == subject.uri
        )
        return Delivery.activity_id.in_(named_activity)
    forwarding_activities = activities.with_only_columns(OutboxActivity.uri).where(
        OutboxActivity.object_uri == subject.uri
    )
    return or_(Delivery.object_uri == subject.uri, Delivery.object_uri.in_(forwarding_activities))


def _last_answer(delivery_row: Delivery | None) -> str:
    """Status and text of the response to the last attempt."""
    if delivery_row is None or not delivery_row.tries:
        return ""
    last_attempt = delivery_row.tries[-1]
    return f"{last_attempt.status or ''} {last_attempt.answer}".strip()
