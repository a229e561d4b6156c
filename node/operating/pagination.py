"""Keyset pagination by row id, newest first, for lists that keep growing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import Session

PAGE_SIZE = 50

Row = TypeVar("Row")


@dataclass(frozen=True)
class KeysetPage(Generic[Row]):
    """One page of rows. The next page holds the ids below `next_before`; None on the last page."""

    rows: Sequence[Row]
    next_before: int | None


def list_page(
    session: Session, query: Select[Row], model: Any, before: int | None
) -> KeysetPage[Row]:
    """The newest rows of `query` with an id below `before`. `row` is the model that has the id."""
    if before is not None:
        query = query.where(model.id < before)
    candidates = session.scalars(query.order_by(model.id.desc()).limit(PAGE_SIZE + 1)).all()
    has_more = len(candidates) > PAGE_SIZE
    rows = candidates[:PAGE_SIZE]
    return KeysetPage(rows, rows[-1].id if has_more else None)  # type: ignore[attr-defined]
