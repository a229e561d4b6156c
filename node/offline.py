"""No network while somebody else's code runs inside a transaction of ours.

A transaction that may write holds SQLite's only write lock: a plugin that waited for a slow server
in it would keep everybody from saving anything. Python tells an audit hook (PEP 578) of each name
that is looked up and each connection that is begun, by whichever library, before it happens. Unix
sockets and the database's driver are not affected.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

LOOK_UPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
CONNECTIONS = frozenset({"socket.connect", "socket.sendto"})

_offline: ContextVar[bool] = ContextVar("offline", default=False)


class NetworkInTransactionError(RuntimeError):
    """The network was used where a transaction is open."""

    def __init__(self) -> None:
        super().__init__(
            "the network cannot be used inside a transaction: have the job's `prepare` do it"
        )


@contextmanager
def offline() -> Iterator[None]:
    """Whatever looks up a name or connects inside gets a `NetworkInTransactionError`."""
    token = _offline.set(True)
    try:
        yield
    finally:
        _offline.reset(token)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if not _offline.get():
        return
    is_connection = event in CONNECTIONS and isinstance(arguments[1], tuple)
    if event in LOOK_UPS or is_connection:
        raise NetworkInTransactionError


sys.addaudithook(_refuse)
