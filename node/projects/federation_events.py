"""Federates changes of our projects and of who can read them."""

from federation.properties import JsonObject
from federation.vocabulary import create as create_activity
from federation.vocabulary import delete as delete_activity
from federation.vocabulary import update as update_activity
from node.access import audiences
from node.federating.identity import local_uris
from node.federating.outbound import outbox
from node.projects import group_actor
from node.projects.federate import build_addressing, to_article, to_tombstone
from node.projects.licensing import licence_url
from node.projects.models import Project, ProjectState, Visibility
from node.queue import batched_writes
from node.runtime import UnitOfWork

# Updates, comments and so on withdrawn in one transaction. Each is sent to every server that ever
# received it, so a batch has to be small.
WITHDRAW_BATCH_SIZE = 20


def publish_change(work: UnitOfWork, project: Project, before: Visibility) -> None:
    """Send the present state of a published project to everyone who may read it, and to no one
    else.

    `before` is the previous visibility; private for a project that was not published before.
    Servers that may no longer read the project get a `Delete`; those that may read it from now on
    get a `Create`.
    """
    if project.visibility is Visibility.private:
        if before is not Visibility.private:
            _withdraw(work, project)
        group_actor.hide(project)
    elif before is Visibility.private:
        group_actor.publish(work, project, _build_create(work, project))
    else:
        if before is Visibility.public and project.visibility is Visibility.peers:
            _withdraw(work, project)
        if before is Visibility.peers and project.visibility is Visibility.public:
            _publish_to_new_readers(work, project)
        group_actor.publish(work, project, _build_update(work, project))


def emit_event(work: UnitOfWork, event: str, project: Project, before: Visibility) -> None:
    """Call the listeners of the other rooms with project.published, .updated or .deleted."""
    for listener in work.node.on_project_event:
        listener(work, f"project.{event}", project, before)


def publish_deletion(work: UnitOfWork, project: Project) -> None:
    """Send a `Delete` to every server that ever received the project, and withdraw everything about
    it.
    """
    outbox.narrow_audience(work.session, project.uri, None)
    withdraw_related(work, project)
    if project.visibility is not Visibility.private:
        group_actor.publish(work, project, _build_delete(work, project))
    group_actor.close(work, project)


def withdraw_related(work: UnitOfWork, project: Project) -> None:
    """Start to withdraw updates, comments and other objects about a project that fewer people may
    read.

    They are hidden from those readers and deleted on their servers. If the project was deleted they
    are erased here too. The work is done later, in batches.
    """
    for room in work.node.on_audience_narrowed:
        batched_writes.start(work, WITHDRAW_RELATED, f"{room} {project.id}")


def _withdraw_batch(work: UnitOfWork, row: batched_writes.BatchedWrite) -> bool:
    """Withdraw one batch. Returns whether there may be more.

    The present visibility counts: if it was widened meanwhile, the rest is not withdrawn from those
    readers.
    """
    room, project_id = row.subject.split()
    project = work.session.get(Project, int(project_id))
    if project is None or not (_is_narrowed(project) or room == ALWAYS_WITHDRAWN_LISTENER):
        return False
    withdraw = work.node.on_audience_narrowed[room]
    row.position = withdraw(
        work, project, _remaining_audience(project), row.position, WITHDRAW_BATCH_SIZE
    )
    return row.position > 0


# Officers' announcements are undone even if the audience widens meanwhile: nobody repeats them.
ALWAYS_WITHDRAWN_LISTENER = "announcements"
WITHDRAW_RELATED = batched_writes.BatchedWriteKind("withdraw-parts", _withdraw_batch)


def _is_narrowed(project: Project) -> bool:
    """Whether fewer people may read the project. For another council's project only a deletion
    counts.
    """
    is_for_fewer = project.is_local and project.visibility is not Visibility.public
    return project.state is ProjectState.deleted or is_for_fewer


def _remaining_audience(project: Project) -> audiences.Audience | None:
    """Which other servers may still read a project whose audience was narrowed."""
    is_for_peers = (
        project.visibility is Visibility.peers and project.state is not ProjectState.deleted
    )
    return audiences.PEERS if is_for_peers else None


def _publish_to_new_readers(work: UnitOfWork, project: Project) -> None:
    """Send a `Create` to followers that could not read the project before, and would ignore an
    `Update`.
    """
    council = project.council.actor
    followers = outbox.follower_inboxes(work.session, council)
    new_inboxes = outbox.filter_non_peer_inboxes(work.session, followers)
    outbox.publish_to(work, council, _build_create(work, project), new_inboxes)


def _withdraw(work: UnitOfWork, project: Project) -> None:
    withdraw_related(work, project)
    outbox.withdraw(
        work, project.council.actor, _build_delete(work, project), _remaining_audience(project)
    )


def _build_create(work: UnitOfWork, project: Project) -> JsonObject:
    return create_activity(
        *_activity_id_and_actor(work, project),
        _build_article(work, project),
        **build_addressing(project),
    )


def _build_update(work: UnitOfWork, project: Project) -> JsonObject:
    return update_activity(
        *_activity_id_and_actor(work, project),
        _build_article(work, project),
        **build_addressing(project),
    )


def _build_delete(work: UnitOfWork, project: Project) -> JsonObject:
    return delete_activity(
        *_activity_id_and_actor(work, project),
        to_tombstone(project).dump(),
        **build_addressing(project),
    )


def _build_article(work: UnitOfWork, project: Project) -> JsonObject:
    return to_article(project, licence_url(work.settings, project)).dump()


def _activity_id_and_actor(work: UnitOfWork, project: Project) -> tuple[str, str]:
    """The id for a new activity, and its actor."""
    return local_uris.new_activity(work.settings), project.council.actor.uri
