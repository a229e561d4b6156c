"""What a room contributes to the node. `node/<room>/room.py` declares it as `ROOM`, and
`node/rooms.py` lists the rooms; `node.app` combines them and knows none by name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint

from node.events import On
from node.notification_kinds import NotificationKind
from node.queue.batched_writes import BatchedWriteKind
from node.queue.pruning import Retention
from node.runtime import Handlers, Node, PageParser, Prefetcher, Relevance


@dataclass(frozen=True)
class Job:
    """A job: runs every minute and when woken, `coalesce_seconds` after the wake-up so that one run
    covers several. It is left out for a node that has no work for it, as `is_needed` says.
    """

    name: str
    run: Callable[[Node], None]
    coalesce_seconds: float = 0.0
    is_needed: Callable[[Node], bool] = lambda _node: True


@dataclass(frozen=True)
class Section:
    """A part of another room's page: `render` is called with what the template passes to
    `slot("<slot>", …)`, and returns HTML or an empty string.
    """

    slot: str
    render: Callable[..., str]


@dataclass(frozen=True)
class Room:
    """Everything that the rest of the node knows of a room.

    `csrf_exempt` are views that check a token of their own.
    `receives` are handlers of received activities; `prefetch` queries once for a batch of them.
    `template_globals` are functions and labels for templates of rooms above this one. `page_parser`
    and `relevance` may be declared by one room only.
    """

    name: str
    pages: Sequence[Blueprint] = ()
    csrf_exempt: Sequence[Callable[..., Any]] = ()
    receives: Sequence[Handlers] = ()
    prefetch: Sequence[Prefetcher] = ()
    on: Sequence[On] = ()
    notifications: Sequence[NotificationKind] = ()
    jobs: Sequence[Job] = ()
    batched_writes: Sequence[BatchedWriteKind] = ()
    retention: Sequence[Retention] = ()
    sections: Sequence[Section] = ()
    template_globals: Mapping[str, Any] = field(default_factory=dict)
    page_parser: PageParser | None = None
    relevance: Relevance | None = None
