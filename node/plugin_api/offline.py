"""Forbids plugins to use the network inside one of our transactions.

A transaction that may write holds SQLite's only write lock: a plugin that waited for a slow server
in it would keep everyone from saving anything. Python calls an audit hook (PEP 578) before any
library looks up a name or connects. Unix sockets and the database's driver are not affected.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

LOOKUP_EVENTS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
CONNECT_EVENTS = frozenset({"socket.connect", "socket.sendto"})

# Whether a transaction is open that a plugin must not keep open.
Condition = Callable[[], bool]


def _always() -> bool:
    return True


_offline: ContextVar[Condition | None] = ContextVar("offline", default=None)


class NetworkInTransactionError(RuntimeError):
    """The network was used while a transaction was open."""

    def __init__(self) -> None:
        super().__init__(
            "the network cannot be used inside a transaction: have the `prepare` of a job do it"
        )


@contextmanager
def offline(condition: Condition = _always) -> Iterator[None]:
    """Inside this block, while `condition` holds, looking up a name or connecting raises
    `NetworkInTransactionError`.
    """
    token = _offline.set(condition)
    try:
        yield
    finally:
        _offline.reset(token)


def _audit_hook(event: str, arguments: tuple[Any, ...]) -> None:
    if (condition := _offline.get()) is None:
        return
    is_connection = event in CONNECT_EVENTS and isinstance(arguments[1], tuple)
    if (event in LOOKUP_EVENTS or is_connection) and condition():
        raise NetworkInTransactionError


sys.addaudithook(_audit_hook)
