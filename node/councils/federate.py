"""What other councils say of themselves."""

from federation.vocabulary import Actor as ActorDocument
from node.councils import service
from node.federating import actors
from node.runtime import Handlers, NotForUsError, Received, UnitOfWork
from node.wording import say


def receive_actor(work: UnitOfWork, received: Received) -> None:
    """An Update of an actor that we know: its new name, place, addresses and keys."""
    if received.document is None:
        raise NotForUsError(say("an activity with no object"))
    document = ActorDocument.parse(received.document)
    known = actors.by_uri(work.session, document.id)
    if known is None or document.id != received.activity.actor:
        raise NotForUsError(say("the account is unknown, or is not the sender’s own"))
    actors.remember(work.session, document)
    service.note(work, known, document)


HANDLERS: Handlers = {
    ("Update", kind): receive_actor
    for kind in ("Organization", "Application", "Group", "Person", "Service")
}
