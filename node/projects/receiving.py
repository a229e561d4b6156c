"""Projects of other councils, as their nodes tell us.

Every handler is an upsert by id: repeats and disorder are harmless.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.origin import same_origin
from federation.reading import moment
from federation.vocabulary import Article, id_of
from node.councils import service as councils
from node.councils.models import Council
from node.db import insert_once, now
from node.federating.models import Deleted, Follow
from node.projects.federate import RemoteProject, from_article
from node.projects.models import Project, State
from node.projects.service import as_view
from node.runtime import Handlers, NotForUsError, Received, UnitOfWork


def receive_article(work: UnitOfWork, received: Received) -> None:
    """A Create or Update of an article, as its own origin gives it."""
    if received.document is None:
        raise NotForUsError("an activity without its object")
    told = from_article(Article.parse(received.document))
    if told is None:
        raise NotForUsError("an article that is not a project")
    if not same_origin(told.uri, told.council_uri) or told.council_uri != received.activity.actor:
        raise NotForUsError("a project of somebody else")
    store(work, _followed_council(work.session, told.council_uri), told)


def store(work: UnitOfWork, council: Council, told: RemoteProject) -> None:
    """Keep what a council's node tells of a project of its own, unless something newer is known."""
    session = work.session
    deleted = session.get(Deleted, (told.uri, council.actor_id))
    if deleted is not None:
        if told.changed_at is None or told.changed_at <= deleted.at:
            raise NotForUsError("a project that was deleted")
        session.delete(deleted)  # its council changed its mind, and shows it again
    project = session.scalar(select(Project).where(Project.uri == told.uri))
    changed_at = min(told.changed_at or now(), now())
    if project is None:
        project = Project(uri=told.uri, council=council, state=State.published)
        session.add(project)
    elif project.council_id != council.id:
        raise NotForUsError("a project of somebody else")
    elif changed_at < project.changed_at:
        raise NotForUsError("older than what is known")
    project.state, project.deleted_at = State.published, None
    project.url, project.title, project.summary = told.url, told.title, told.summary
    project.phase, project.content = told.phase, told.content
    project.visibility, project.revision = told.visibility, told.revision
    project.language, project.translations = told.language, told.translations
    project.published_at, project.changed_at = told.published_at or changed_at, changed_at
    session.flush()


def receive_delete(work: UnitOfWork, received: Received) -> None:
    """A Delete of anything by its own origin: a project of theirs goes.

    It comes back only with a later change than its deletion, both by its origin's clock, so that a
    Create or Update that was overtaken by the Delete is not shown.
    """
    activity = received.activity
    uri = id_of(activity.object)
    if uri is None or not same_origin(uri, activity.actor):
        raise NotForUsError("a deletion of what is not theirs")
    project = work.session.scalar(select(Project).where(Project.uri == uri))
    council = project.council if project else _followed_council(work.session, activity.actor)
    if council.actor.uri != activity.actor:
        raise NotForUsError("a deletion of what is not theirs")
    at = moment((received.document or {}).get("deleted")) or now()
    if project is not None and project.state is State.published and at < project.changed_at:
        raise NotForUsError("older than what is known")
    _mark_deleted(work.session, uri, council.actor_id, at)
    if project is not None and project.state is not State.deleted:
        work.node.hooks.project_deleted(work, as_view(project))
        project.state, project.deleted_at = State.deleted, now()
        project.erase()
        work.audit("project.deleted-by-origin", uri)


def _mark_deleted(session: Session, uri: str, actor_id: int, at: datetime) -> None:
    """Remember the latest deletion, by its origin's clock."""
    if not insert_once(session, Deleted, uri=uri, actor_id=actor_id, at=at):
        mark = session.get_one(Deleted, (uri, actor_id), with_for_update=True)
        mark.at = max(mark.at, at)


def _followed_council(session: Session, actor_uri: str) -> Council:
    """The council with this actor, if ours follows it or has asked to."""
    council = councils.by_actor_uri(session, actor_uri)
    if council is None or council.is_local:
        raise NotForUsError("from a council that we do not follow")
    follows = select(Follow.id).where(
        Follow.followed_id == council.actor_id, Follow.state != "rejected"
    )
    if session.scalar(follows) is None:
        raise NotForUsError("from a council that we do not follow")
    return council


HANDLERS: Handlers = {
    ("Create", "Article"): receive_article,
    ("Update", "Article"): receive_article,
    ("Delete", ""): receive_delete,
}
