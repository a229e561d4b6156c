"""Lists that grow for ever, read in portions by row id: the newest first, and on from the last."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import Session

PORTION = 50

Row = TypeVar("Row")


@dataclass(frozen=True)
class Portion(Generic[Row]):
    """`onward` is the id to go on before; None where there is no more."""

    rows: Sequence[Row]
    onward: int | None


def portion(session: Session, query: Select[Row], row: Any, before: int | None) -> Portion[Row]:
    """The rows of `query` with an id below `before`, the newest first."""
    if before is not None:
        query = query.where(row.id < before)
    found = session.scalars(query.order_by(row.id.desc()).limit(PORTION + 1)).all()
    more = len(found) > PORTION
    rows = found[:PORTION]
    return Portion(rows, rows[-1].id if more else None)  # type: ignore[attr-defined]
