"""What makes an item unworkable: a row that raises when it is read, or a refused statement."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from node.testing.nodes import TestNode


class PoisonError(Exception):
    """What reading a poisoned item raises."""


@contextmanager
def unreadable(model: type[Any], row_id: int) -> Iterator[None]:
    """Whoever reads this row fails."""

    def fail(row: Any, _context: Any, *_more: Any) -> None:
        if row.id == row_id:
            raise PoisonError(f"{model.__name__} {row_id}")

    event.listen(model, "load", fail)
    try:
        yield
    finally:
        event.remove(model, "load", fail)


@contextmanager
def refusing(one: TestNode, start: str, *values: object) -> Iterator[None]:
    """Whoever has a statement executed that begins so, with all these values, fails."""

    def fail(_connection: Any, _cursor: Any, statement: str, given: Any, *_more: Any) -> None:
        words = given.values() if isinstance(given, dict) else given
        if statement.startswith(start) and all(value in words for value in values):
            raise PoisonError(start)

    event.listen(one.node.engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        event.remove(one.node.engine, "before_cursor_execute", fail)


Poison = Callable[[TestNode, int], Any]


def on(model: type[Any]) -> Poison:
    return lambda _one, row_id: unreadable(model, row_id)
