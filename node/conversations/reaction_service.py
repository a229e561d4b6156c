"""Likes and shares (Announce): received ones, and those of our council for remote projects."""

from sqlalchemy.orm import Session

from federation.addressing import PUBLIC_COLLECTION
from federation.properties import JsonObject, type_of
from federation.vocabulary import Activity, id_of
from federation.vocabulary import announce as announce_activity
from federation.vocabulary import like as like_activity
from federation.vocabulary import undo as undo_activity
from federation.vocabulary.activity_types import ANNOUNCE, LIKE
from node.access.visibility import Visibility
from node.conversations import comment_subjects
from node.errors import ConflictError
from node.federating import reactions
from node.federating.identity import actors, local_uris
from node.federating.models import Actor, Reaction
from node.federating.outbound import outbox
from node.messages import msg
from node.projects.models import Project
from node.runtime import NotHandledError, ReceivedActivity, UnitOfWork


def react(work: UnitOfWork, actor: Actor, project: Project, kind: str) -> None:
    """Like a remote project, or announce it to our council's followers.

    `kind` is `LIKE` or `ANNOUNCE`. Raises `ConflictError` for a local project,
    a reaction that already exists, and an announcement of a project that is not public.
    """
    if project.is_local:
        raise ConflictError(msg("You cannot do this because the project belongs to your council."))
    if kind == ANNOUNCE and project.visibility is not Visibility.public:
        raise ConflictError(
            msg("You cannot share this project because only some councils can see it.")
        )
    uri = local_uris.new_activity(work.settings)
    if not reactions.add(work, uri=uri, kind=kind, actor=actor, object_uri=project.uri):
        raise ConflictError(msg("Your council has already done this."))
    _publish(work, actor, project, kind, _build_activity(uri, actor, project, kind))
    work.audit(f"reaction.{kind.lower()}", project.uri)


def undo_reaction(work: UnitOfWork, actor: Actor, project: Project, kind: str) -> None:
    """Undo a reaction of our council. Raises `ConflictError` if there is none."""
    reaction = reactions.find(work.session, actor, kind, project.uri)
    if reaction is None:
        raise ConflictError(msg("Your council has already removed this like or share."))
    original = _build_activity(reaction.uri, actor, project, kind)
    activity = undo_activity(local_uris.new_activity(work.settings), actor.uri, original)
    work.session.delete(reaction)
    _publish(work, actor, project, kind, activity)
    work.audit(f"reaction.undo-{kind.lower()}", project.uri)


def _build_activity(uri: str, actor: Actor, project: Project, kind: str) -> JsonObject:
    owner = project.council.actor.uri
    if kind == LIKE:
        return like_activity(uri, actor.uri, project.uri, to=[owner])
    cc = [actor.followers or "", owner]
    return announce_activity(uri, actor.uri, project.uri, to=[PUBLIC_COLLECTION], cc=cc)


def _publish(
    work: UnitOfWork, actor: Actor, project: Project, kind: str, activity: JsonObject
) -> None:
    """Send a Like to the project's owner only, and an Announce to our followers as well."""
    owner = project.council.actor
    if kind == LIKE:
        outbox.send(work, actor, activity, to=owner)
        return
    inboxes = outbox.follower_inboxes(work.session, actor) | {owner.shared_inbox or owner.inbox}
    outbox.publish_to(work, actor, activity, inboxes)


def receive(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle a Like or Announce of a visible project, update or comment."""
    activity = received.activity
    subject = comment_subjects.find(work.session, activity.object_id or "")
    actor = actors.by_uri(work.session, activity.actor)
    if subject is None or actor is None:
        raise NotHandledError(msg("about something this server does not have"))
    if actor.is_local or actor.uri == local_uris.project_group(subject.project.uri):
        raise NotHandledError(msg("an announcement by the project itself"))
    reactions.add(work, uri=activity.id, kind=activity.type, actor=actor, object_uri=subject.uri)


def receive_undo(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle the Undo of a Like or Announce."""
    reaction = find_undone(work.session, received.activity)
    if reaction is None:
        raise NotHandledError(msg("no like or share from this sender to undo"))
    work.session.delete(reaction)


def find_undone(session: Session, activity: Activity) -> Reaction | None:
    """The reaction of its actor that an Undo means, by its id or else by its type and object."""
    original, actor = activity.object, actors.by_uri(session, activity.actor)
    if actor is None:
        return None
    reaction = reactions.by_uri(session, actor, id_of(original) or "")
    if reaction is None and isinstance(original, dict):
        object_uri = id_of(original.get("object")) or ""
        reaction = reactions.find(session, actor, type_of(original), object_uri)
    return reaction
