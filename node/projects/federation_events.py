"""What other servers are told when a project of ours changes, or who may read it does."""

from federation.properties import JsonObject
from federation.vocabulary import create as create_activity
from federation.vocabulary import delete as delete_activity
from federation.vocabulary import update as update_activity
from node import long_writes
from node.federating import local_uris, outbox
from node.projects import group_actor
from node.projects.federate import address_to, to_article, to_tombstone
from node.projects.licensing import licence_url
from node.projects.models import Project, ProjectState, Visibility
from node.runtime import UnitOfWork

# Updates, comments and so on of a project that are withdrawn in one transaction: of each, all who
# ever got it are told.
MAX_WITHDRAWN = 20


def publish_change(work: UnitOfWork, project: Project, before: Visibility) -> None:
    """Tell of a published project what it is now: all who may read it, and nobody else.

    `before` is who could read it so far; private where nobody else could. Whoever could and no
    longer may is told that it is deleted, and whoever could not until now, that it is new.
    """
    if project.visibility is Visibility.private:
        if before is not Visibility.private:
            _withdraw(work, project)
        group_actor.hide(project)
    elif before is Visibility.private:
        group_actor.publish(work, project, _create(work, project))
    else:
        if before is Visibility.public and project.visibility is Visibility.peers:
            _withdraw(work, project)
        if before is Visibility.peers and project.visibility is Visibility.public:
            _publish_to_new_readers(work, project)
        group_actor.publish(work, project, _update(work, project))


def emit_event(work: UnitOfWork, event: str, project: Project, before: Visibility) -> None:
    """Let the other rooms hear of what happened: project.published, .updated or .deleted."""
    for hear in work.node.on_project_event:
        hear(work, f"project.{event}", project, before)


def publish_deletion(work: UnitOfWork, project: Project) -> None:
    """Tell all who ever got a project that it is deleted, and show nothing said of it before."""
    outbox.narrow_audience(work.session, project.uri, None)
    withdraw_related(work, project)
    if project.visibility is not Visibility.private:
        group_actor.publish(work, project, _delete(work, project))
    group_actor.close(work, project)


def withdraw_related(work: UnitOfWork, project: Project) -> None:
    """Fewer may read a project: what was said about it is hidden from all others from now on, and
    deleted where they have it. Of one that was deleted, it is erased here too.
    """
    for room in work.node.on_audience_narrowed:
        long_writes.begin(work, WITHDRAW_RELATED, f"{room} {project.id}")


def _withdraw_some(work: UnitOfWork, row: long_writes.LongWrite) -> bool:
    """Who may read the project is what counts now: whoever widened it since has cancelled what is
    left of it for those readers.
    """
    room, project_id = row.subject.split()
    project = work.session.get(Project, int(project_id))
    if project is None or not (_is_narrowed(project) or room == ALWAYS_WITHDRAWN):
        return False
    withdraw = work.node.on_audience_narrowed[room]
    row.position = withdraw(
        work, project, _remaining_audience(project), row.position, MAX_WITHDRAWN
    )
    return row.position > 0


# What officers announced of it is not shown again, so all of it is undone.
ALWAYS_WITHDRAWN = "announcements"
WITHDRAW_RELATED = long_writes.LongWriteKind("withdraw-parts", _withdraw_some)


def _is_narrowed(project: Project) -> bool:
    """Of another council's project, only whether it is gone: its origin may show it again."""
    is_for_fewer = project.is_local and project.visibility is not Visibility.public
    return project.state is ProjectState.deleted or is_for_fewer


def _remaining_audience(project: Project) -> outbox.Audience | None:
    """Who else may read a project that fewer may read."""
    is_for_peers = (
        project.visibility is Visibility.peers and project.state is not ProjectState.deleted
    )
    return outbox.PEERS if is_for_peers else None


def _publish_to_new_readers(work: UnitOfWork, project: Project) -> None:
    """Those who could not read it until now do not know what an Update would be of."""
    council = project.council.actor
    followers = outbox.follower_inboxes(work.session, council)
    new = outbox.non_peer_inboxes(work.session, followers)
    outbox.publish_to(work, council, _create(work, project), new)


def _withdraw(work: UnitOfWork, project: Project) -> None:
    withdraw_related(work, project)
    outbox.withdraw(
        work, project.council.actor, _delete(work, project), _remaining_audience(project)
    )


def _create(work: UnitOfWork, project: Project) -> JsonObject:
    return create_activity(
        *_activity_id_and_actor(work, project), _article(work, project), **address_to(project)
    )


def _update(work: UnitOfWork, project: Project) -> JsonObject:
    return update_activity(
        *_activity_id_and_actor(work, project), _article(work, project), **address_to(project)
    )


def _delete(work: UnitOfWork, project: Project) -> JsonObject:
    return delete_activity(
        *_activity_id_and_actor(work, project), to_tombstone(project).dump(), **address_to(project)
    )


def _article(work: UnitOfWork, project: Project) -> JsonObject:
    return to_article(project, licence_url(work.settings, project)).dump()


def _activity_id_and_actor(work: UnitOfWork, project: Project) -> tuple[str, str]:
    """A new activity's id, and its actor."""
    return local_uris.new_activity(work.settings), project.council.actor.uri
