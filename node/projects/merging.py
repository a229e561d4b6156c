"""Two projects become one: what follows the first follows the second, and nothing is lost.

The council of the first says that it goes on in the second, that of the second that it takes the
place of the first. Once both are said, on whichever nodes, the first one's actor moves. Its page,
updates and versions stay where they are, and each leads to the other.
"""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from federation.addressing import PUBLIC
from federation.vocabulary import move as move_activity
from node.db import now
from node.federating import addresses, publishing
from node.news import service as news
from node.news.models import Watch
from node.projects import group
from node.projects.details import RelationKind
from node.projects.models import Project, Relation, State
from node.projects.relating import group_of
from node.runtime import Node, UnitOfWork

BY = "merging"


def work_off(node: Node) -> None:
    """The job: move the actors of our projects that go on in another which says so too."""
    with node.work(by=BY) as work:
        _take_along(work)
    with node.reading() as session:
        ready = [(first.id, second.id) for first, second in _both_said(session)]
    for first_id, second_id in ready:
        with node.work(by=BY) as work:
            first = work.session.get_one(Project, first_id, with_for_update={"of": Project})
            _merge(work, first, work.session.get_one(Project, second_id))


def _take_along(work: UnitOfWork) -> None:
    """Whoever here follows a project that goes on in another, wherever both are, follows that."""
    watched = Project.id.in_(select(Watch.project_id).where(Watch.project_id.is_not(None)))
    for first, second in list(_said(work.session, watched)):
        if is_agreed(work.session, first, second):
            news.merge_projects(work.session, first.id, second.id)


def is_agreed(session: Session, first: Project, second: Project) -> bool:
    """Whether the councils of both say that the first goes on in the second."""
    says = select(Relation.id).where(
        Relation.project_id == second.id,
        Relation.uri == first.uri,
        Relation.kind == RelationKind.supersedes.value,
    )
    goes_on = any(
        each.kind is RelationKind.merged_into and each.uri == second.uri
        for each in first.details.related
    )
    return goes_on and session.scalar(says) is not None


def _both_said(session: Session) -> Iterator[tuple[Project, Project]]:
    for first, second in _said(session):
        is_done = first.actor is not None and first.actor.moved_to is not None
        if first.is_local and not is_done and is_agreed(session, first, second):
            yield first, second


def _said(session: Session, *among: ColumnElement[bool]) -> Iterator[tuple[Project, Project]]:
    """The projects whose councils say that they go on in another, which is known here, and that."""
    goes_on = (
        select(Project, Relation.uri)
        .join(Relation, Relation.project_id == Project.id)
        .where(Relation.kind == RelationKind.merged_into.value, Project.state == State.published)
    )
    for first, uri in session.execute(goes_on.where(*among)).all():
        second = session.scalar(select(Project).where(Project.uri == uri))
        if second is not None and second.state is State.published:
            yield first, second


def _merge(work: UnitOfWork, first: Project, second: Project) -> None:
    old = group.ensure(work, first)
    if old is None or old.moved_to is not None:
        return
    old.moved_to, old.moved_at = group_of(second), now()
    group.say(work, first, old)
    activity = move_activity(
        addresses.new_activity(work.settings),
        old.uri,
        old.moved_to,
        to=[PUBLIC],
        cc=[old.followers or ""],
    )
    publishing.publish(work, old, activity, group.audience(first))
    work.audit("project.merge", first.uri, into=second.uri)
