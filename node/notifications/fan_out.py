"""From a happening to the notices of all whom it concerns. This runs after the commit."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from node import change_tracking
from node.db import insert_missing
from node.error_isolation import JobItems
from node.events.kinds import NotificationKind, Topic
from node.events.models import NotificationEvent, Watch
from node.events.service import normalise_tag
from node.notifications import email_digests, preferences
from node.notifications.models import Notification
from node.notifications.preferences import MailFrequency
from node.people.models import Role, User
from node.projects.models import Project
from node.runtime import Node, UnitOfWork

JOB = NotificationEvent.JOB
# So many are told of in one transaction.
BATCH_SIZE = 50
READ_LIMIT = 1_000
# Before it tells of them, the job waits so long for more.
COALESCE_SECONDS = 0.5


def run_job(node: Node) -> None:
    """The job: tell of all that happened."""
    run = JobItems[int](node, JOB, give_up=partial(_mark_failed, node))
    last = 0
    while happened := _load_pending(node, last):
        for start in range(0, len(happened), BATCH_SIZE):
            run.attempt_all(happened[start : start + BATCH_SIZE], partial(_fan_out, node))
        last = happened[-1]


def _load_pending(node: Node, after: int) -> Sequence[int]:
    """The next of what happened that nobody was told of."""
    if node.jobs.stopping.is_set():
        return ()
    waiting = select(NotificationEvent.id).where(
        NotificationEvent.state == NotificationEvent.WAITING
    )
    with node.reading() as session:
        query = (
            waiting.where(NotificationEvent.id > after)
            .order_by(NotificationEvent.id)
            .limit(READ_LIMIT)
        )
        return session.scalars(query).all()


def _fan_out(node: Node, ids: Sequence[int]) -> None:
    waiting = NotificationEvent.id.in_(ids), NotificationEvent.state == NotificationEvent.WAITING
    query = select(NotificationEvent).where(*waiting).order_by(NotificationEvent.id)
    with node.work(by=JOB) as work, change_tracking.caching(work.session):
        session = work.session
        happened = session.scalars(query.with_for_update(skip_locked=True)).all()
        about = Project.id.in_({one.project_id for one in happened if one.project_id})
        projects = {row.id: row for row in session.scalars(select(Project).where(about))}
        rows = [row for one in happened for row in _build_rows(work, one, projects)]
        told = {row["happening_id"] for row in rows}
        for one in happened:
            if one.id in told:
                one.move_to("told")
            else:  # nothing is kept of what concerns nobody
                session.delete(one)
        if rows:
            insert_missing(session.connection(), Notification, rows)
        if any(row["waits_for"] == MailFrequency.once for row in rows):
            work.wake(email_digests.JOB)


def _mark_failed(node: Node, happening_id: int) -> None:
    with node.work(by=JOB) as work:
        waiting = (
            NotificationEvent.id == happening_id,
            NotificationEvent.state == NotificationEvent.WAITING,
        )
        work.session.execute(update(NotificationEvent).where(*waiting).values(state="failed"))


def _build_rows(
    work: UnitOfWork, happening: NotificationEvent, projects: Mapping[int, Project]
) -> list[dict[str, Any]]:
    """A row for each person whom it concerns. `projects` by id, as far as they are here."""
    kind: NotificationKind | None = work.node.notification_kinds.get(happening.kind)
    project = projects.get(happening.project_id or 0)
    told = _find_recipients(work.session, happening, kind, project) if kind else {}
    ways = preferences.get_preferences_of_users(work.session, frozenset(told)) if told else {}
    return [
        {
            "user_id": user_id,
            "happening_id": happening.id,
            "topic": topic.value,
            "waits_for": ways[user_id][topic]
            if ways[user_id][topic] in preferences.EMAILED_FREQUENCIES
            else None,
        }
        for user_id, topic in told.items()
        if ways[user_id][topic] is not MailFrequency.nothing
    ]


def _find_recipients(
    session: Session, happening: NotificationEvent, kind: NotificationKind, project: Project | None
) -> Mapping[int, Topic]:
    """The people who are told, each with the topic as which they are."""
    found: dict[int, Topic] = {}
    if kind.for_followers and project is not None:
        follows = select(Watch.user_id).where(_is_followed(project), Watch.since <= happening.at)
        found |= dict.fromkeys(session.scalars(follows), kind.topic)
    if kind.for_owner and project is not None and project.owner_id is not None:
        found[project.owner_id] = Topic.own
    found |= dict.fromkeys(happening.to, kind.topic)
    if happening.roles:
        holders = select(User.id).where(User.roles.any(Role.name.in_(happening.roles)))
        found |= dict.fromkeys(session.scalars(holders), kind.topic)
    emails = _active_emails(session, frozenset(found)) if found else {}
    return {user_id: found[user_id] for user_id, email in emails.items() if email != happening.by}


@change_tracking.cached({"users": None})
def _active_emails(session: Session, user_ids: frozenset[int]) -> dict[int, str]:
    """The e-mail addresses of those of these people who may sign in."""
    query = select(User.id, User.email).where(User.id.in_(user_ids), User.active)
    return {row.id: row.email for row in session.execute(query)}


def _is_followed(project: Project) -> ColumnElement[bool]:
    tags = {normalise_tag(tag) for tag in project.details.tags}
    return or_(
        Watch.project_id == project.id,
        Watch.council_id == project.council_id,
        Watch.tag.in_(tags),
    )
