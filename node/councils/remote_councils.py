"""Receives changes of remote actors, including councils."""

from federation.vocabulary import ActorDocument
from federation.vocabulary.activity_types import UPDATE
from federation.vocabulary.object_kinds import ACTOR
from node.councils import service
from node.federating.identity import actors
from node.messages import msg
from node.runtime import Handlers, NotHandledError, ReceivedActivity, UnitOfWork


def receive_actor_update(work: UnitOfWork, received: ReceivedActivity) -> None:
    """Handle an Update of a known actor by itself: its name, location, addresses and keys."""
    if received.document is None:
        raise NotHandledError(msg("an activity with no object"))
    document = ActorDocument.parse(received.document)
    known = actors.by_uri(work.session, document.id)
    if known is None or document.id != received.activity.actor:
        raise NotHandledError(msg("the account is unknown, or is not the sender’s own"))
    actors.upsert(work.session, document)
    service.update_from_document(work, known, document)


HANDLERS = Handlers({(UPDATE, ACTOR): receive_actor_update})
