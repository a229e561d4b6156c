"""The received activities that concern conversations. An `Announce`, and its Undo, is either a
share by anyone or the way in which a project's server passes on what was written about it.
"""

from federation.origin import same_origin
from federation.properties import id_of, type_of
from federation.vocabulary import REPLY_TYPES
from federation.vocabulary.activity_types import (
    ANNOUNCE,
    CREATE,
    DELETE,
    LIKE,
    UNDO,
    UPDATE,
    VERSION_TYPES,
)
from federation.vocabulary.object_kinds import COMMENT, kind_of
from node.conversations import (
    comment_subjects,
    reaction_service,
    remote_comments,
    remote_deletions,
    service,
)
from node.conversations.models import Comment
from node.federating.models import Reaction
from node.runtime import Handlers, ReceivedActivity, Stored, UnitOfWork


def receive_announce(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle the Announce of a comment or of its deletion by its project's server, or the share of
    anything that has a conversation.
    """
    if _is_passed_on(work, received):
        remote_comments.receive_announced(work, received)
    else:
        reaction_service.receive(work, received)


def receive_undo_announce(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle the Undo of a share, or the withdrawal of a comment by its project's server."""
    if reaction_service.find_undone(work.session, received.activity) is None:
        remote_comments.receive_undo_announce(work, received)
    else:
        reaction_service.receive_undo(work, received)


def _is_passed_on(work: UnitOfWork, received: ReceivedActivity) -> bool:
    """Whether a comment is passed on rather than shared. A comment that is here already is passed
    on by its project's server only.
    """
    document = received.document or {}
    if type_of(document) in {*VERSION_TYPES, DELETE}:
        return True
    uri = id_of(document) or ""
    is_comment = type_of(document) in REPLY_TYPES and kind_of(document) == COMMENT
    if not is_comment or comment_subjects.is_project_or_update(work.session, uri):
        return False
    known = service.by_uri(work.session, uri)
    return known is None or same_origin(received.activity.actor, known.project.uri)


HANDLERS = Handlers(
    {
        (CREATE, COMMENT): remote_comments.receive_note,
        (UPDATE, COMMENT): remote_comments.receive_note,
        (DELETE, COMMENT): remote_comments.receive_delete,
        (DELETE, ""): remote_deletions.receive_delete,
        (ANNOUNCE, ""): receive_announce,
        (LIKE, ""): reaction_service.receive,
        (UNDO, ANNOUNCE): receive_undo_announce,
        (UNDO, LIKE): reaction_service.receive_undo,
    },
    stores=(Stored(Comment.uri, COMMENT), Stored(Reaction.uri, Reaction.kind)),
)
