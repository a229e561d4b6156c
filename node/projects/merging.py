"""Two projects become one: what follows the first follows the second, and nothing is lost.

The council of the first says that it goes on in the second, that of the second that it takes the
place of the first. Once both are said, on whichever nodes, the first one's actor moves. Its page,
updates and versions stay where they are, and each leads to the other.
"""

from collections.abc import Iterator
from functools import partial

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, aliased

from federation.addressing import PUBLIC
from federation.vocabulary import move as move_activity
from node.councils.models import Council
from node.db import now
from node.error_isolation import for_each
from node.events import service as news
from node.events.models import Watch
from node.federating import local_uris, outbox
from node.federating.models import Actor
from node.projects import group_actor
from node.projects.details import RelationKind
from node.projects.models import Project, ProjectState, Relation
from node.projects.relations import MERGING_JOB, group_uri
from node.runtime import Node, UnitOfWork


def run_job(node: Node) -> None:
    """The job: move the actors of our projects that go on in another which says so too."""
    with node.reading() as session:
        goes_on = session.scalars(_select_mergeable()).all()
    for_each(node, MERGING_JOB, goes_on, partial(_merge_project, node))


def _merge_project(node: Node, project_id: int) -> None:
    """One project goes on in another, if both councils say so: whoever here follows it, wherever
    both are, follows the other, and the actor of one of ours moves.
    """
    with node.work(by=MERGING_JOB) as work:
        first = work.session.get(Project, project_id, with_for_update={"of": Project})
        if first is None or first.state is not ProjectState.published:
            return
        for second in _successors(work.session, first):
            news.merge_projects(work.session, first.id, second.id)
            if first.is_local:
                _move_actor(work, first, second)


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


def _select_mergeable() -> Select[int]:
    """The projects that are followed here, or are ours, whose councils say that they go on in
    another which is known here.
    """
    second = aliased(Project)
    is_watched = Project.id.in_(select(Watch.project_id).where(Watch.project_id.is_not(None)))
    has_moved = Project.actor.has(Actor.moved_to.is_not(None))
    ours = Project.council_id.in_(select(Council.id).where(Council.slug.is_not(None)))
    return (
        select(Project.id)
        .join(Relation, Relation.project_id == Project.id)
        .join(second, second.uri == Relation.uri)
        .where(
            Relation.kind == RelationKind.merged_into.value, Project.state == ProjectState.published
        )
        .where(second.state == ProjectState.published, or_(is_watched, ours & ~has_moved))
        .order_by(Project.id)
        .distinct()
    )


def _successors(session: Session, first: Project) -> Iterator[Project]:
    """The projects that both councils say `first` goes on in."""
    mine = Relation.project_id == first.id, Relation.kind == RelationKind.merged_into.value
    uris = select(Relation.uri).where(*mine)
    query = select(Project).where(Project.uri.in_(uris), Project.state == ProjectState.published)
    for second in session.scalars(query.order_by(Project.id)).all():
        if is_agreed(session, first, second):
            yield second


def _move_actor(work: UnitOfWork, first: Project, second: Project) -> None:
    old = group_actor.ensure(work, first)
    if old is None or old.moved_to is not None:
        return
    old.moved_to, old.moved_at = group_uri(second), now()
    group_actor.publish_actor_update(work, first, old)
    activity = move_activity(
        local_uris.new_activity(work.settings),
        old.uri,
        old.moved_to,
        to=[PUBLIC],
        cc=[old.followers or ""],
    )
    outbox.publish(work, old, activity, group_actor.audience(first))
    work.audit("project.merge", first.uri, into=second.uri)
