"""The one way in which a room hears what happened in a room below it.

A room defines its events as frozen dataclasses and raises them with `UnitOfWork.emit`, in the
transaction of what happened. Rooms above declare handlers in their `Room`. A handler does nothing
slow: it writes rows, or starts a batched write or a job. If it raises, the transaction is undone.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    """Something that happened. Events name rows by id, since many may be concerned at once."""


@dataclass(frozen=True)
class TransactionEnding(Event):
    """The transaction is about to be committed: the last chance to write in it."""


@dataclass(frozen=True)
class On:
    """Calls `handle(work, event)` for each event of a type."""

    event: type[Event]
    handle: Callable[[Any, Any], object]


Listeners = Mapping[type[Event], Sequence[Callable[[Any, Any], object]]]


def collect_listeners(declared: Iterable[On]) -> Listeners:
    """The handlers by event type, in the order of their declaration."""
    listeners: dict[type[Event], list[Callable[[Any, Any], object]]] = defaultdict(list)
    for on in declared:
        listeners[on.event].append(on.handle)
    return listeners
