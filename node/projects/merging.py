"""Merges two projects: followers of the first become followers of the second.

The council of the first states that the second continues it (`merged_into`), the council of the
second that it replaces the first (`supersedes`). Once both are known, on whichever nodes, the first
project's actor moves. Pages, updates and versions stay where they are and link to each other.
"""

from collections.abc import Iterator
from functools import partial

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, aliased

from federation.addressing import PUBLIC_COLLECTION
from federation.vocabulary import move as move_activity
from node.councils import visibility as council_visibility
from node.database.tables import now
from node.federating.identity import local_uris
from node.federating.models import Actor
from node.federating.outbound import outbox
from node.notification_events import service as news
from node.notification_events.models import Watch
from node.principal import Principal
from node.projects import group_actor
from node.projects.details import RelationKind
from node.projects.models import Project, ProjectState, Relation
from node.projects.relations import MERGING_JOB, group_uri
from node.queue.error_isolation import for_each
from node.runtime import Node, UnitOfWork


def run_job(node: Node) -> None:
    """The job: merge every project whose successor has agreed."""
    with node.reading() as session:
        project_ids = session.scalars(_select_mergeable()).all()
    for_each(node, MERGING_JOB, project_ids, partial(_merge_project, node))


def _merge_project(node: Node, project_id: int) -> None:
    """Move followers here to the agreed successor, and the actor if the project is ours."""
    with node.work(by=Principal.job(MERGING_JOB)) as work:
        project = work.session.get(Project, project_id, with_for_update={"of": Project})
        if project is None or project.state is not ProjectState.published:
            return
        for successor in _iter_successors(work.session, project):
            news.move_project_watches(work.session, project.id, successor.id)
            if project.is_local:
                _move_actor(work, project, successor)


def is_agreed(session: Session, project: Project, successor: Project) -> bool:
    """Whether the councils of both state that `successor` continues `project`."""
    supersedes = select(Relation.id).where(
        Relation.project_id == successor.id,
        Relation.uri == project.uri,
        Relation.kind == RelationKind.supersedes.value,
    )
    is_merged = any(
        related.kind is RelationKind.merged_into and related.uri == successor.uri
        for related in project.details.related
    )
    return is_merged and session.scalar(supersedes) is not None


def _select_mergeable() -> Select[int]:
    """Ids of projects that are ours or followed here, and that state a successor known here."""
    successor = aliased(Project)
    is_watched = Project.id.in_(select(Watch.project_id).where(Watch.project_id.is_not(None)))
    has_moved = Project.actor.has(Actor.moved_to.is_not(None))
    is_ours = council_visibility.is_own(Project.council_id)
    return (
        select(Project.id)
        .join(Relation, Relation.project_id == Project.id)
        .join(successor, successor.uri == Relation.uri)
        .where(
            Relation.kind == RelationKind.merged_into.value, Project.state == ProjectState.published
        )
        .where(successor.state == ProjectState.published, or_(is_watched, is_ours & ~has_moved))
        .order_by(Project.id)
        .distinct()
    )


def _iter_successors(session: Session, project: Project) -> Iterator[Project]:
    """The projects that continue `project` as both councils state."""
    conditions = Relation.project_id == project.id, Relation.kind == RelationKind.merged_into.value
    uris = select(Relation.uri).where(*conditions)
    query = select(Project).where(Project.uri.in_(uris), Project.state == ProjectState.published)
    for successor in session.scalars(query.order_by(Project.id)).all():
        if is_agreed(session, project, successor):
            yield successor


def _move_actor(work: UnitOfWork, project: Project, successor: Project) -> None:
    actor = group_actor.ensure(work, project)
    if actor is None or actor.moved_to is not None:
        return
    actor.moved_to, actor.moved_at = group_uri(successor), now()
    group_actor.publish_actor_update(work, project, actor)
    activity = move_activity(
        local_uris.new_activity(work.settings),
        actor.uri,
        actor.moved_to,
        to=[PUBLIC_COLLECTION],
        cc=[actor.followers or ""],
    )
    outbox.publish(work, actor, activity, group_actor.audience_of(project))
    work.audit("project.merge", project.uri, into=successor.uri)
