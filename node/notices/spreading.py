"""From a happening to the notices of all whom it concerns. This runs after the commit."""

from collections.abc import Mapping, Sequence
from functools import partial

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

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
    with node.work(by=JOB) as work:
        for one in work.session.scalars(query.with_for_update(skip_locked=True)).all():
            _tell(work, one)


def _give_up(node: Node, happening_id: int) -> None:
    with node.work(by=JOB) as work:
        waiting = Happening.id == happening_id, Happening.state == Happening.WAITING
        work.session.execute(update(Happening).where(*waiting).values(state="failed"))


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
