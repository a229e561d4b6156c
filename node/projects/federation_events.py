"""Federates changes of our projects and of who can read them."""

from federation.properties import JsonObject
from federation.vocabulary import create as create_activity
from federation.vocabulary import delete as delete_activity
from federation.vocabulary import update as update_activity
from node.access.visibility import Visibility
from node.federating.identity import local_uris
from node.federating.outbound import outbox
from node.projects import group_actor
from node.projects.events import AudienceNarrowed
from node.projects.federate import build_addressing, to_article, to_tombstone
from node.projects.licensing import licence_url
from node.projects.models import Project
from node.runtime import UnitOfWork


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


def publish_deletion(work: UnitOfWork, project: Project) -> None:
    """Send a `Delete` to every server that ever received the project, and withdraw everything about
    it.
    """
    outbox.narrow_audience(work.session, project.uri, None)
    work.emit(AudienceNarrowed(project.id))
    if project.visibility is not Visibility.private:
        group_actor.publish(work, project, _build_delete(work, project))
    group_actor.close(work, project)


def _publish_to_new_readers(work: UnitOfWork, project: Project) -> None:
    """Send a `Create` to followers that could not read the project before, and would ignore an
    `Update`.
    """
    council = project.council.actor
    followers = outbox.follower_inboxes(work.session, council)
    new_inboxes = outbox.filter_non_peer_inboxes(work.session, followers)
    outbox.publish_to(work, council, _build_create(work, project), new_inboxes)


def _withdraw(work: UnitOfWork, project: Project) -> None:
    work.emit(AudienceNarrowed(project.id))
    audience, deletion = project.effective_visibility.audience, _build_delete(work, project)
    outbox.withdraw(work, project.council.actor, deletion, audience)


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
