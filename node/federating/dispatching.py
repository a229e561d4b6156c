"""From what was received to the room that receives such things."""

from federation.vocabulary import type_of
from node.runtime import Node, NotForUsError, Received, UnitOfWork


def dispatch(node: Node, work: UnitOfWork, received: Received) -> tuple[str, str]:
    """Hand it to its handler. Returns `done` or `ignored`, and why it was ignored."""
    activity = received.activity
    kind = type_of(received.document) if received.document else ""
    handler = node.handlers.get((activity.type, kind)) or node.handlers.get((activity.type, ""))
    if handler is None:
        return "ignored", f"nothing here receives {activity.type} {kind}".strip()
    try:
        handler(work, received)
    except NotForUsError as reason:
        return "ignored", str(reason)
    return "done", ""
