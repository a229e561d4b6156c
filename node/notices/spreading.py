"""From a happening to the notices of all whom it concerns. This runs after the commit."""

from collections.abc import Mapping

import structlog
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from node.db import insert_new
from node.news.kinds import Kind, Topic
from node.news.models import Happening, Watch
from node.news.service import plain_tag
from node.notices import choices, digests
from node.notices.choices import Way
from node.notices.models import Notice
from node.people.models import Role, User
from node.projects.models import Project
from node.runtime import Node, UnitOfWork

log = structlog.get_logger(__name__)

JOB = Happening.JOB
# So many are told of in one transaction.
TOGETHER = 50


def work_off(node: Node) -> None:
    """The job: tell of all that happened."""
    while not node.jobs.stopping.is_set() and _some(node):
        pass


def _some(node: Node) -> int:
    waiting = (
        select(Happening)
        .where(Happening.state == Happening.WAITING)
        .order_by(Happening.id)
        .limit(TOGETHER)
        .with_for_update(skip_locked=True)
    )
    with node.work(by=JOB) as work:
        happened = work.session.scalars(waiting).all()
        for one in happened:
            try:
                with work.session.begin_nested():
                    _tell(work, one)
            except DBAPIError:
                log.exception("nobody could be told", kind=one.kind, happening=one.id)
                one.move_to("failed")
        return len(happened)


def _tell(work: UnitOfWork, happening: Happening) -> None:
    """Nothing is kept of what concerns nobody."""
    kind: Kind | None = work.node.kinds.get(happening.kind)
    told = _concerned(work.session, happening, kind) if kind else {}
    ways = choices.of_all(work.session, told)
    rows = [
        {
            "user_id": user_id,
            "happening_id": happening.id,
            "topic": topic.value,
            "waits_for": ways[user_id][topic] if ways[user_id][topic] in choices.MAILED else None,
        }
        for user_id, topic in told.items()
        if ways[user_id][topic] is not Way.nothing
    ]
    if not rows:
        work.session.delete(happening)
        return
    insert_new(work.session.connection(), Notice, rows)
    happening.move_to("told")
    if any(row["waits_for"] == Way.once for row in rows):
        work.wake(digests.JOB)


def _concerned(session: Session, happening: Happening, kind: Kind) -> Mapping[int, Topic]:
    """The people who are told, each with the topic as which they are."""
    project = session.get(Project, happening.project_id) if happening.project_id else None
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
    can_hear = User.id.in_(found), User.active, User.email != happening.by
    return {
        user_id: found[user_id] for user_id in session.scalars(select(User.id).where(*can_hear))
    }


def _followed(project: Project) -> ColumnElement[bool]:
    tags = {plain_tag(tag) for tag in project.details.tags}
    return or_(
        Watch.project_id == project.id,
        Watch.council_id == project.council_id,
        Watch.tag.in_(tags),
    )
