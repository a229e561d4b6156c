"""From a happening to the notices of all whom it concerns. This runs after the commit."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from node import changes
from node.db import insert_new
from node.isolation import Items
from node.news.kinds import Kind, Topic
from node.news.models import Happening, Watch
from node.news.service import plain_tag
from node.notices import choices, digests
from node.notices.choices import Way
from node.notices.models import Notice
from node.people.models import Role, User
from node.projects.models import Project
from node.runtime import Node, UnitOfWork

JOB = Happening.JOB
# So many are told of in one transaction.
TOGETHER = 50
READ_AT_ONCE = 1_000
# Before it tells of them, the job waits so long for more.
GATHER_SECONDS = 0.5


def work_off(node: Node) -> None:
    """The job: tell of all that happened."""
    run = Items[int](node, JOB, give_up=partial(_give_up, node))
    last = 0
    while happened := _waiting(node, last):
        for start in range(0, len(happened), TOGETHER):
            run.attempt_all(happened[start : start + TOGETHER], partial(_tell_of, node))
        last = happened[-1]


def _waiting(node: Node, after: int) -> Sequence[int]:
    """The next of what happened that nobody was told of."""
    if node.jobs.stopping.is_set():
        return ()
    waiting = select(Happening.id).where(Happening.state == Happening.WAITING)
    with node.reading() as session:
        query = waiting.where(Happening.id > after).order_by(Happening.id).limit(READ_AT_ONCE)
        return session.scalars(query).all()


def _tell_of(node: Node, ids: Sequence[int]) -> None:
    waiting = Happening.id.in_(ids), Happening.state == Happening.WAITING
    query = select(Happening).where(*waiting).order_by(Happening.id)
    with node.work(by=JOB) as work, changes.caching(work.session):
        session = work.session
        happened = session.scalars(query.with_for_update(skip_locked=True)).all()
        about = Project.id.in_({one.project_id for one in happened if one.project_id})
        projects = {row.id: row for row in session.scalars(select(Project).where(about))}
        rows = [row for one in happened for row in _notices(work, one, projects)]
        told = {row["happening_id"] for row in rows}
        for one in happened:
            if one.id in told:
                one.move_to("told")
            else:  # nothing is kept of what concerns nobody
                session.delete(one)
        if rows:
            insert_new(session.connection(), Notice, rows)
        if any(row["waits_for"] == Way.once for row in rows):
            work.wake(digests.JOB)


def _give_up(node: Node, happening_id: int) -> None:
    with node.work(by=JOB) as work:
        waiting = Happening.id == happening_id, Happening.state == Happening.WAITING
        work.session.execute(update(Happening).where(*waiting).values(state="failed"))


def _notices(
    work: UnitOfWork, happening: Happening, projects: Mapping[int, Project]
) -> list[dict[str, Any]]:
    """A row for each person whom it concerns. `projects` by id, as far as they are here."""
    kind: Kind | None = work.node.kinds.get(happening.kind)
    project = projects.get(happening.project_id or 0)
    told = _concerned(work.session, happening, kind, project) if kind else {}
    ways = choices.of_all(work.session, frozenset(told)) if told else {}
    return [
        {
            "user_id": user_id,
            "happening_id": happening.id,
            "topic": topic.value,
            "waits_for": ways[user_id][topic] if ways[user_id][topic] in choices.MAILED else None,
        }
        for user_id, topic in told.items()
        if ways[user_id][topic] is not Way.nothing
    ]


def _concerned(
    session: Session, happening: Happening, kind: Kind, project: Project | None
) -> Mapping[int, Topic]:
    """The people who are told, each with the topic as which they are."""
    found: dict[int, Topic] = {}
    if kind.for_followers and project is not None:
        follows = select(Watch.user_id).where(_followed(project), Watch.since <= happening.at)
        found |= dict.fromkeys(session.scalars(follows), kind.topic)
    if kind.for_owner and project is not None and project.owner_id is not None:
        found[project.owner_id] = Topic.own
    found |= dict.fromkeys(happening.to, kind.topic)
    if happening.roles:
        holders = select(User.id).where(User.roles.any(Role.name.in_(happening.roles)))
        found |= dict.fromkeys(session.scalars(holders), kind.topic)
    emails = _active(session, frozenset(found)) if found else {}
    return {user_id: found[user_id] for user_id, email in emails.items() if email != happening.by}


@changes.cached({"users": None})
def _active(session: Session, user_ids: frozenset[int]) -> dict[int, str]:
    """The e-mail addresses of those of these people who may sign in."""
    query = select(User.id, User.email).where(User.id.in_(user_ids), User.active)
    return {row.id: row.email for row in session.execute(query)}


def _followed(project: Project) -> ColumnElement[bool]:
    tags = {plain_tag(tag) for tag in project.details.tags}
    return or_(
        Watch.project_id == project.id,
        Watch.council_id == project.council_id,
        Watch.tag.in_(tags),
    )
