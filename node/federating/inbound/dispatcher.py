"""Routes received activities to the rooms that handle them."""

from collections.abc import Iterator

from federation.vocabulary import type_of
from node.runtime import Handler, Node, NotHandledError, ReceivedActivity, UnitOfWork


def dispatch(node: Node, work: UnitOfWork, received: ReceivedActivity) -> tuple[str, str]:
    """Call the handlers for an activity until one does not raise `NotHandledError`.

    Returns the state, `done` or `ignored`, and why it was ignored.
    """
    object_type = type_of(received.document) if received.document else ""
    outcome = f"no handler for {received.activity.type} {object_type}".strip()
    for handler in _find_handlers(node, received.activity.type, object_type):
        try:
            handler(work, received)
        except NotHandledError as reason:
            outcome = str(reason)
        else:
            return "done", ""
    return "ignored", outcome


def _find_handlers(node: Node, activity_type: str, object_type: str) -> Iterator[Handler]:
    """The handlers for exactly this object type first, then those for any object type."""
    for key in dict.fromkeys([(activity_type, object_type), (activity_type, "")]):
        for handlers in node.handlers:
            if key in handlers:
                yield handlers[key]
