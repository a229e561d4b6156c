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

# Updates, comments and so on of a project that are withdrawn in one transaction: of each, all who
# ever got it are told.
MOST_WITHDRAWN = 20


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
    withdraw_parts(work, project)
    if project.visibility is not Visibility.private:
        group.publish(work, project, _delete(work, project))
    group.close(work, project)


def withdraw_parts(work: UnitOfWork, project: Project) -> None:
    """Fewer may read a project: what was said about it is hidden from all others from now on, and
    deleted where they have it. Of one that was deleted, it is erased here too.
    """
    for room in work.node.withdrawals:
        portions.begin(work, WITHDRAWING, f"{room} {project.id}")


def _withdraw_some(work: UnitOfWork, row: portions.LongWrite) -> bool:
    """Who may read the project is what counts now: whoever widened it since has cancelled what is
    left of it for those readers.
    """
    room, project_id = row.subject.split()
    project = work.session.get(Project, int(project_id))
    if project is None or not (_is_narrowed(project) or room == FOR_GOOD):
        return False
    withdraw = work.node.withdrawals[room]
    row.position = withdraw(work, project, _still_for(project), row.position, MOST_WITHDRAWN)
    return row.position > 0


# What officers announced of it is not shown again, so all of it is undone.
FOR_GOOD = "announcements"
WITHDRAWING = portions.Kind("withdraw-parts", _withdraw_some)


def _is_narrowed(project: Project) -> bool:
    """Of another council's project, only whether it is gone: its origin may show it again."""
    is_for_fewer = project.is_local and project.visibility is not Visibility.public
    return project.state is State.deleted or is_for_fewer


def _still_for(project: Project) -> publishing.Audience | None:
    """Who else may read a project that fewer may read."""
    is_for_peers = project.visibility is Visibility.peers and project.state is not State.deleted
    return publishing.PEERS if is_for_peers else None


def _introduce(work: UnitOfWork, project: Project) -> None:
    """Those who could not read it until now do not know what an Update would be of."""
    council = project.council.actor
    followers = publishing.followers(work.session, council)
    new = publishing.strangers(work.session, followers)
    publishing.publish_to(work, council, _create(work, project), new)


def _withdraw(work: UnitOfWork, project: Project) -> None:
    withdraw_parts(work, project)
    publishing.withdraw(work, project.council.actor, _delete(work, project), _still_for(project))


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
