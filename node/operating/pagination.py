"""Lists that grow for ever, read in portions by row id: the newest first, and on from the last."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import Session

PAGE_SIZE = 50

Row = TypeVar("Row")


@dataclass(frozen=True)
class KeysetPage(Generic[Row]):
    """`onward` is the id to go on before; None where there is no more."""

    rows: Sequence[Row]
    next_before: int | None


def list_page(
    session: Session, query: Select[Row], row: Any, before: int | None
) -> KeysetPage[Row]:
    """The rows of `query` with an id below `before`, the newest first."""
    if before is not None:
        query = query.where(row.id < before)
    found = session.scalars(query.order_by(row.id.desc()).limit(PAGE_SIZE + 1)).all()
    more = len(found) > PAGE_SIZE
    rows = found[:PAGE_SIZE]
    return KeysetPage(rows, rows[-1].id if more else None)  # type: ignore[attr-defined]
