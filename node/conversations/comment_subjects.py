"""The objects that can be commented on: published projects and updates, and visible comments."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from node.conversations.models import Comment, CommentState
from node.database import change_tracking
from node.federating.models import Actor
from node.projects.models import Project, ProjectState
from node.updates.models import Update, UpdateState


@dataclass(frozen=True)
class CommentSubject:
    """The object `uri` by `author`, which belongs to the conversation about `project`."""

    uri: str
    project: Project
    author: Actor
    published_at: datetime | None


def find(session: Session, uri: str) -> CommentSubject | None:
    """The object with an id; None if it is unknown, unpublished or hidden."""
    project = _find_project(session, uri)
    if project is not None:
        return _build_subject(project, uri, project.council.actor, project.published_at)
    update = session.scalar(select(Update).where(Update.uri == uri))
    if update is not None and update.state is UpdateState.published:
        return _build_subject(update.project, uri, update.author, update.published_at)
    comment = session.scalar(select(Comment).where(Comment.uri == uri))
    if comment is not None and comment.state is CommentState.shown:
        return _build_subject(comment.project, uri, comment.author, comment.published_at)
    return None


def is_project_or_update(session: Session, uri: str) -> bool:
    """Whether an id is that of a project or an update that this server has."""
    is_update = select(Update.id).where(Update.uri == uri)
    return _find_project(session, uri) is not None or session.scalar(is_update) is not None


def prefetch(session: Session, uris: Collection[str]) -> Sequence[Project]:
    """Load the projects with these ids into the cache of `find`, with one query."""
    query = select(Project).where(Project.uri.in_(uris)).options(joinedload(Project.actor))
    projects = {project.uri: project for project in session.scalars(query)}
    _find_project.prime(session, {(uri,): projects.get(uri) for uri in uris})
    return list(projects.values())


@change_tracking.cached({"project": {"uri", change_tracking.ADDED, change_tracking.REMOVED}})
def _find_project(session: Session, uri: str) -> Project | None:
    query = select(Project).where(Project.uri == uri)
    return session.scalar(query.options(joinedload(Project.actor)))


def find_by_group_actor(session: Session, uris: tuple[str, ...]) -> CommentSubject | None:
    """The local project whose Group is among `uris`."""
    query = select(Project).join(Actor, Actor.id == Project.actor_id).where(Actor.uri.in_(uris))
    project = session.scalars(query).first()
    if project is None:
        return None
    return _build_subject(project, project.uri, project.council.actor, project.published_at)


def _build_subject(
    project: Project, uri: str, author: Actor, at: datetime | None
) -> CommentSubject | None:
    if project.state is not ProjectState.published or project.is_hidden:
        return None
    return CommentSubject(uri, project, author, at)
