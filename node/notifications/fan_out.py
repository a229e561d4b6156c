"""Fans out each event to a notification for every user it concerns, in a job after the commit."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from node.database import change_tracking
from node.database.tables import insert_missing
from node.notification_events.models import NotificationEvent, Watch
from node.notification_events.service import normalise_tag
from node.notification_kinds import NotificationKind, Topic
from node.notifications import email_digests, preferences
from node.notifications.models import Notification
from node.notifications.preferences import MailFrequency
from node.people.models import Role, User
from node.principal import Principal
from node.projects.models import Project
from node.queue.error_isolation import JobItems
from node.runtime import Node, UnitOfWork

JOB = NotificationEvent.JOB
# Events handled in one transaction, and read ahead at once.
BATCH_SIZE = 50
MAX_EVENTS_READ = 1_000
# The job waits this long for further events, to handle them together.
COALESCE_SECONDS = 0.5


def run_job(node: Node) -> None:
    """Job: fan out all pending events."""
    run = JobItems[int](node, JOB, give_up=partial(_mark_failed, node))
    last_id = 0
    while event_ids := _load_pending(node, last_id):
        for start in range(0, len(event_ids), BATCH_SIZE):
            run.attempt_all(event_ids[start : start + BATCH_SIZE], partial(_fan_out, node))
        last_id = event_ids[-1]


def _load_pending(node: Node, after_id: int) -> Sequence[int]:
    """Ids of the next pending events after the id `after`; none while the node is stopping."""
    if node.jobs.stopping.is_set():
        return ()
    pending = select(NotificationEvent.id).where(
        NotificationEvent.state == NotificationEvent.WAITING_STATE
    )
    with node.reading() as session:
        query = (
            pending.where(NotificationEvent.id > after_id)
            .order_by(NotificationEvent.id)
            .limit(MAX_EVENTS_READ)
        )
        return session.scalars(query).all()


def _fan_out(node: Node, ids: Sequence[int]) -> None:
    is_pending = (
        NotificationEvent.id.in_(ids),
        NotificationEvent.state == NotificationEvent.WAITING_STATE,
    )
    query = select(NotificationEvent).where(*is_pending).order_by(NotificationEvent.id)
    with node.work(by=Principal.job(JOB)) as work, change_tracking.caching(work.session):
        session = work.session
        events = session.scalars(query.with_for_update(skip_locked=True)).all()
        is_mentioned = Project.id.in_({event.project_id for event in events if event.project_id})
        projects = {row.id: row for row in session.scalars(select(Project).where(is_mentioned))}
        rows = [row for event in events for row in _build_notification_rows(work, event, projects)]
        notified_ids = {row["happening_id"] for row in rows}
        for event in events:
            if event.id in notified_ids:
                event.move_to("told")
            else:  # an event that concerns no one is not stored
                session.delete(event)
        if rows:
            insert_missing(session.connection(), Notification, rows)
        if any(row["waits_for"] == MailFrequency.once for row in rows):
            work.wake(email_digests.JOB)


def _mark_failed(node: Node, event_id: int) -> None:
    with node.work(by=Principal.job(JOB)) as work:
        is_pending = (
            NotificationEvent.id == event_id,
            NotificationEvent.state == NotificationEvent.WAITING_STATE,
        )
        work.session.execute(update(NotificationEvent).where(*is_pending).values(state="failed"))


def _build_notification_rows(
    work: UnitOfWork, event: NotificationEvent, projects: Mapping[int, Project]
) -> list[dict[str, Any]]:
    """Column values of a `Notification` for each user whom `event` concerns. `projects` by id."""
    kind: NotificationKind | None = work.node.notification_kinds.get(event.kind)
    project = projects.get(event.project_id or 0)
    recipients = _find_recipients(work.session, event, kind, project) if kind else {}
    frequencies = (
        preferences.get_preferences_of_users(work.session, frozenset(recipients))
        if recipients
        else {}
    )
    return [
        {
            "user_id": user_id,
            "happening_id": event.id,
            "topic": topic.value,
            "waits_for": frequencies[user_id][topic]
            if frequencies[user_id][topic] in preferences.EMAIL_FREQUENCIES
            else None,
        }
        for user_id, topic in recipients.items()
        if frequencies[user_id][topic] is not MailFrequency.nothing
    ]


def _find_recipients(
    session: Session, event: NotificationEvent, kind: NotificationKind, project: Project | None
) -> Mapping[int, Topic]:
    """The ids of the users to notify, each with the topic that applies to them."""
    topics: dict[int, Topic] = {}
    if kind.notifies_followers and project is not None:
        follows = select(Watch.user_id).where(_is_followed(project), Watch.since <= event.at)
        topics |= dict.fromkeys(session.scalars(follows), kind.topic)
    if kind.notifies_owner and project is not None and project.owner_id is not None:
        topics[project.owner_id] = Topic.own
    topics |= dict.fromkeys(event.to, kind.topic)
    if event.roles:
        holders = select(User.id).where(User.roles.any(Role.name.in_(event.roles)))
        topics |= dict.fromkeys(session.scalars(holders), kind.topic)
    active = _active_users(session, frozenset(topics)) if topics else frozenset()
    return {user_id: topics[user_id] for user_id in active - {event.by_user_id}}


@change_tracking.cached({"users": None})
def _active_users(session: Session, user_ids: frozenset[int]) -> frozenset[int]:
    """The ids of the active users among `user_ids`."""
    return frozenset(session.scalars(select(User.id).where(User.id.in_(user_ids), User.active)))


def _is_followed(project: Project) -> ColumnElement[bool]:
    tags = {normalise_tag(tag) for tag in project.details.tags}
    return or_(
        Watch.project_id == project.id,
        Watch.council_id == project.council_id,
        Watch.tag.in_(tags),
    )
