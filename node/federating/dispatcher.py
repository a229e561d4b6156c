"""From what was received to the room that receives such things."""

from collections.abc import Iterator

from federation.vocabulary import type_of
from node.runtime import Handler, Node, NotHandledError, ReceivedActivity, UnitOfWork


def dispatch(node: Node, work: UnitOfWork, received: ReceivedActivity) -> tuple[str, str]:
    """Hand it to its handlers, until one does not say that it is no concern of its room.

    Returns `done` or `ignored`, and why it was ignored.
    """
    kind = type_of(received.document) if received.document else ""
    outcome = f"nothing here receives {received.activity.type} {kind}".strip()
    for handler in _find_handlers(node, received.activity.type, kind):
        try:
            handler(work, received)
        except NotHandledError as reason:
            outcome = str(reason)
        else:
            return "done", ""
    return "ignored", outcome


def _find_handlers(node: Node, activity: str, kind: str) -> Iterator[Handler]:
    """Those for just this kind of object first, then those for any."""
    for key in dict.fromkeys([(activity, kind), (activity, "")]):
        for room in node.handlers:
            if key in room:
                yield room[key]
