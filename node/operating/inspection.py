"""Describes one object or actor as JSON for operators: its origin and state, reactions, activities
and deliveries with their results.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from federation.vocabulary.activity_types import ANNOUNCE, LIKE
from node.conversations.models import Comment
from node.federating.models import (
    Actor,
    Backfill,
    Block,
    Comparison,
    Delivery,
    Disclosure,
    Follow,
    InboxItem,
    OutboxActivity,
    Peer,
    Reaction,
)
from node.operating.delivery_reasons import (
    HostOutcome,
    is_about_subject,
    list_outcomes,
    outcome_at_host,
)
from node.operating.explanations import explain, next_step
from node.operating.inspected_objects import InspectedObject, find_object
from node.settings import Settings
from node.updates.models import Update

# Items listed of each kind, the newest; `count` is the full number.
MAX_ITEMS = 100

JsonObject = dict[str, Any]
Row = TypeVar("Row")


def inspect_object(
    session: Session, settings: Settings, identifier: str, host: str = ""
) -> JsonObject:
    """Describe the object that `identifier` identifies (see `find_object`). Times are ISO 8601,
    UTC. With `host`, `hosts` holds that server alone, even if it never had to do with the object.

    Raises `NotFoundError` if this node has no record of the object.
    """
    subject = find_object(session, settings, identifier)
    if host:
        outcomes = [outcome_at_host(session, settings, subject, host)]
    else:
        outcomes = list_outcomes(session, settings, subject)
    document: JsonObject = {
        "id": subject.uri,
        "kind": subject.kind,
        "title": subject.title,
        "state": subject.state,
        "origin": {"host": subject.origin, "local": subject.is_local},
        "url": subject.url or None,
        "audience": subject.audience,
        "published_at": subject.published_at,
        **subject.details,
        "likes": _describe_reactions(session, subject, LIKE),
        "announces": _describe_reactions(session, subject, ANNOUNCE),
        "replies": _describe_replies(session, subject),
        "activities": _describe_activities(session, subject),
        "deliveries": _describe_deliveries(session, subject),
        "hosts": [_describe_host(outcome) for outcome in outcomes],
        "shared": _describe_disclosures(session, subject),
        "received": _describe_received(session, subject),
    }
    if subject.kind == "actor":
        document |= _describe_actor(session, subject)
    serialisable: JsonObject = _to_json(document)
    return serialisable


def _describe_reactions(session: Session, subject: InspectedObject, kind: str) -> JsonObject:
    query = select(Reaction).where(Reaction.object_uri == subject.uri, Reaction.kind == kind)
    return _list_with_count(
        session,
        query.order_by(Reaction.id.desc()),
        lambda row: {"id": row.uri, "actor": row.actor.uri, "at": row.at},
    )


def _describe_replies(session: Session, subject: InspectedObject) -> JsonObject:
    """The comments on an object; for a project, its updates too."""
    replies = [
        {"id": row.uri, "kind": "comment", "author": row.author.uri, "state": row.state.value}
        for row in session.scalars(
            select(Comment)
            .where(Comment.in_reply_to == subject.uri)
            .order_by(Comment.id.desc())
            .limit(MAX_ITEMS)
        )
    ]
    updates = select(Update).where(Update.project.has(uri=subject.uri)).order_by(Update.id.desc())
    replies += [
        {"id": row.uri, "kind": "update", "author": row.author.uri, "state": row.state.value}
        for row in session.scalars(updates.limit(MAX_ITEMS))
    ]
    return {"count": len(replies), "items": replies}


def _describe_activities(session: Session, subject: InspectedObject) -> JsonObject:
    query = select(OutboxActivity).where(
        or_(OutboxActivity.object_uri == subject.uri, OutboxActivity.uri == subject.uri)
    )
    return _list_with_count(
        session,
        query.order_by(OutboxActivity.id.desc()),
        lambda row: {
            "id": row.uri,
            "type": row.type,
            "actor": row.actor.uri,
            "audience": row.audience,
            "created_at": row.created_at,
        },
    )


def _describe_deliveries(session: Session, subject: InspectedObject) -> JsonObject:
    query = select(Delivery).where(is_about_subject(subject)).order_by(Delivery.id.desc())
    return _list_with_count(session, query, _describe_delivery)


def _describe_delivery(row: Delivery) -> JsonObject:
    return {
        "id": row.id,
        "activity": row.activity.uri,
        "type": row.activity.type,
        "inbox": row.inbox,
        "host": row.host,
        "state": row.state,
        "attempts": row.attempts,
        "next_try_at": row.due_at if row.state == Delivery.WAITING_STATE else None,
        "finished_at": row.finished_at,
        "tries": [
            {
                "at": attempt.at,
                "status": attempt.status,
                "answer": attempt.answer,
                "milliseconds": attempt.milliseconds,
            }
            for attempt in row.tries
        ],
    }


def _describe_disclosures(session: Session, subject: InspectedObject) -> JsonObject:
    query = (
        select(Disclosure)
        .where(Disclosure.object_uri == subject.uri)
        .order_by(Disclosure.last_at.desc())
    )
    return _list_with_count(
        session,
        query,
        lambda row: {
            "host": row.host,
            "first_at": row.first_at,
            "last_at": row.last_at,
            "by": row.type,
            "deletion_acknowledged_at": row.deleted_at,
        },
    )


def _describe_received(session: Session, subject: InspectedObject) -> JsonObject:
    """The received messages about an object, or from an actor."""
    column = InboxItem.actor_uri if subject.kind == "actor" else InboxItem.object_uri
    query = select(InboxItem).where(or_(column == subject.uri, InboxItem.uri == subject.uri))
    return _list_with_count(
        session,
        query.order_by(InboxItem.id.desc()),
        lambda row: {
            "id": row.uri,
            "type": row.type,
            "actor": row.actor_uri,
            "state": row.state,
            "outcome": row.outcome,
            "received_at": row.received_at,
            "forwarded_by": row.forwarded_by,
        },
    )


def _describe_actor(session: Session, subject: InspectedObject) -> JsonObject:
    """Follows in both directions, blocks, the health of the actor's server, and its sync."""
    actor = session.scalars(select(Actor).where(Actor.uri == subject.uri)).one()
    peer = session.scalar(select(Peer).where(Peer.host == actor.host))
    backfill = session.scalar(select(Backfill).where(Backfill.actor_id == actor.id))
    comparison = session.scalar(select(Comparison).where(Comparison.actor_id == actor.id))
    return {
        "follows": _list_with_count(
            session, select(Follow).where(Follow.follower_id == actor.id), _describe_follow
        ),
        "followers": _list_with_count(
            session, select(Follow).where(Follow.followed_id == actor.id), _describe_follow
        ),
        "blocked_by": [
            row.blocker.uri
            for row in session.scalars(select(Block).where(Block.blocked_id == actor.id))
        ],
        "server": _describe_columns(
            peer, "state", "software", "scheme", "failures", "try_after", "unreachable_since",
            "heard_at", "delivered_at", "failed_at", "last_answer",
        ),
        "reading": _describe_columns(
            backfill, "state", "pages", "read", "total", "started_at", "finished_at", "outcome"
        ),
        "comparison": _describe_columns(
            comparison, "state", "compared_at", "agreed_at", "different", "fetched", "removed",
            "outcome",
        ),
    }  # fmt: skip


def _describe_follow(row: Follow) -> JsonObject:
    return {
        "id": row.uri,
        "follower": row.follower.uri,
        "followed": row.followed.uri,
        "state": row.state,
        "answered_at": row.answered_at,
    }


def _describe_columns(row: object, *names: str) -> JsonObject | None:
    return {name: getattr(row, name) for name in names} if row is not None else None


def _describe_host(outcome: HostOutcome) -> JsonObject:
    explanation = {"words": str(explain(outcome)), "next": str(next_step(outcome))}
    return {
        name: value
        for name, value in (vars(outcome) | explanation).items()
        if value not in (None, "")
    }


def _list_with_count(
    session: Session, query: Select[Row], describe: Callable[[Row], JsonObject]
) -> JsonObject:
    count = session.scalar(select(func.count()).select_from(query.order_by(None).subquery()))
    return {
        "count": count,
        "items": [describe(row) for row in session.scalars(query.limit(MAX_ITEMS))],
    }


def _to_json(value: Any) -> Any:
    """`value` with its times as ISO 8601 strings and its sequences as lists."""
    match value:
        case datetime():
            return value.isoformat(timespec="seconds")
        case dict():
            return {name: _to_json(item) for name, item in value.items()}
        case str():
            return value
        case Iterable():
            return [_to_json(item) for item in value]
    return value
