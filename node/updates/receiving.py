"""Updates of other councils' projects, as their nodes tell us.

Every handler is an upsert by id: repeats and disorder are harmless.
"""

from sqlalchemy import func, select

from federation.origin import same_origin
from federation.vocabulary import Note, id_of
from node.db import insert_once, now
from node.federating.models import Deleted
from node.projects.models import Project
from node.projects.models import State as ProjectState
from node.runtime import Handlers, NotForUsError, Received, UnitOfWork
from node.updates import service
from node.updates.federate import RemoteUpdate, from_note
from node.updates.models import State, Update

# More than a project has in its life.
MOST_OF_PROJECT = 1_000


def receive_note(work: UnitOfWork, received: Received) -> None:
    """A Create or Update of a note, as its own origin gives it."""
    if received.document is None:
        raise NotForUsError("an activity without its object")
    told = from_note(Note.parse(received.document))
    if told is None:
        raise NotForUsError("a note that is not an update of a project")
    if received.activity.actor != told.council_uri:
        raise NotForUsError("an update by somebody else")
    store(work, told)


def store(work: UnitOfWork, told: RemoteUpdate) -> None:
    """Keep what a council's node tells of its own project, unless something newer is known."""
    session = work.session
    project = session.scalar(select(Project).where(Project.uri == told.project_uri))
    if project is None or project.is_local or project.state is not ProjectState.published:
        raise NotForUsError("an update of a project that we do not know")
    author = project.council.actor
    if told.council_uri != author.uri or not same_origin(told.uri, author.uri):
        raise NotForUsError("an update of somebody else's project")
    if session.get(Deleted, (told.uri, author.id)) is not None:
        raise NotForUsError("an update that was deleted")
    update = session.scalar(select(Update).where(Update.uri == told.uri))
    changed_at = min(told.changed_at or now(), now())
    if update is None:
        if _count(work, project) >= MOST_OF_PROJECT:
            raise NotForUsError("one update too many")
        update = Update(uri=told.uri, project=project, author=author)
        update.published_at = min(told.published_at or changed_at, now())
        session.add(update)
    elif update.project_id != project.id:
        raise NotForUsError("an update of another project")
    elif changed_at < update.changed_at:
        raise NotForUsError("older than what is known")
    update.url, update.content, update.language = told.url, told.content, told.language
    update.changed_at = changed_at
    session.flush()


def receive_delete(work: UnitOfWork, received: Received) -> None:
    """A Delete of an update by its council: it goes, and does not come back."""
    uri = id_of(received.activity.object)
    update = work.session.scalar(select(Update).where(Update.uri == uri))
    if update is None or update.author.uri != received.activity.actor or update.author.is_local:
        raise NotForUsError("a deletion of what is not theirs")
    insert_once(work.session, Deleted, uri=uri, actor_id=update.author_id, at=now())
    if update.state is not State.deleted:
        service.remove(update)
        work.audit("update.deleted-by-origin", update.uri)


def _count(work: UnitOfWork, project: Project) -> int:
    query = select(func.count()).where(Update.project_id == project.id)
    return work.session.scalar(query) or 0


HANDLERS: Handlers = {
    ("Create", "Note"): receive_note,
    ("Update", "Note"): receive_note,
    ("Delete", ""): receive_delete,
}
