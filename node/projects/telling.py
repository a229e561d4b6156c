"""What other servers are told when a project of ours changes, or who may read it does."""

from federation.reading import Document
from federation.vocabulary import create as create_activity
from federation.vocabulary import delete as delete_activity
from federation.vocabulary import update as update_activity
from node import portions
from node.federating import addresses, publishing
from node.projects import group
from node.projects.federate import audience, to_article, to_tombstone
from node.projects.licensing import licence_url
from node.projects.models import Project, State, Visibility
from node.runtime import UnitOfWork

# Updates, comments and so on of a deleted project that are erased in one transaction: of each, all
# who ever got it are told.
MOST_ERASED = 20


def told(work: UnitOfWork, project: Project, before: Visibility) -> None:
    """Tell of a published project what it is now: all who may read it, and nobody else.

    `before` is who could read it so far; private where nobody else could. Whoever could and no
    longer may is told that it is deleted, and whoever could not until now, that it is new.
    """
    if project.visibility is Visibility.private:
        if before is not Visibility.private:
            _withdraw(work, project)
        group.hide(project)
    elif before is Visibility.private:
        group.publish(work, project, _create(work, project))
    else:
        if before is Visibility.public and project.visibility is Visibility.peers:
            _withdraw(work, project)
        if before is Visibility.peers and project.visibility is Visibility.public:
            _introduce(work, project)
        group.publish(work, project, _update(work, project))


def heard(work: UnitOfWork, event: str, project: Project, before: Visibility) -> None:
    """Let the other rooms hear of what happened: project.published, .updated or .deleted."""
    for hear in work.node.hearers:
        hear(work, f"project.{event}", project, before)


def gone(work: UnitOfWork, project: Project) -> None:
    """Tell all who ever got a project that it is deleted, and show nothing said of it before."""
    publishing.hide(work.session, project.uri, None)
    erase_parts(work, project)
    if project.visibility is not Visibility.private:
        group.publish(work, project, _delete(work, project))
    group.close(work, project)


def erase_parts(work: UnitOfWork, project: Project) -> None:
    """What was said about a project that was deleted is shown to nobody from now on, and goes."""
    portions.begin(work, ERASING, str(project.id))


def _erase_some(work: UnitOfWork, row: portions.LongWrite) -> bool:
    project = work.session.get(Project, int(row.subject))
    if project is None or project.state is not State.deleted:  # its origin shows it again
        return False
    more = [withdraw(work, project, None, MOST_ERASED) for withdraw in work.node.withdrawals]
    return any(more)


ERASING = portions.Kind("erase-project", _erase_some)


def _introduce(work: UnitOfWork, project: Project) -> None:
    """Those who could not read it until now do not know what an Update would be of."""
    council = project.council.actor
    followers = publishing.followers(work.session, council)
    new = publishing.strangers(work.session, followers)
    publishing.publish_to(work, council, _create(work, project), new)


def _withdraw(work: UnitOfWork, project: Project) -> None:
    now_for = publishing.PEERS if project.visibility is Visibility.peers else None
    for withdraw in work.node.withdrawals:
        withdraw(work, project, now_for, None)
    publishing.withdraw(work, project.council.actor, _delete(work, project), now_for)


def _create(work: UnitOfWork, project: Project) -> Document:
    return create_activity(*_said(work, project), _article(work, project), **audience(project))


def _update(work: UnitOfWork, project: Project) -> Document:
    return update_activity(*_said(work, project), _article(work, project), **audience(project))


def _delete(work: UnitOfWork, project: Project) -> Document:
    return delete_activity(*_said(work, project), to_tombstone(project).dump(), **audience(project))


def _article(work: UnitOfWork, project: Project) -> Document:
    return to_article(project, licence_url(work.settings, project)).dump()


def _said(work: UnitOfWork, project: Project) -> tuple[str, str]:
    """A new activity's id, and its actor."""
    return addresses.new_activity(work.settings), project.council.actor.uri
