"""Pages of long lists: by page number, or by the key of the last row read (keyset pagination).

Page numbers let readers jump to any page, and need the total. Keys stay fast and exact in tables
that grow while they are read, since no rows are skipped or counted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

Row = TypeVar("Row")
OtherRow = TypeVar("OtherRow")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a list.

    `next` is the number or the key that requests the next page; None on the last page. `number`
    counts from 1. `page_count`, at least 1, and `total`, the number of rows on all pages, are None
    if they were not counted.
    """

    rows: Sequence[Row]
    next: int | None = None
    number: int = 1
    page_count: int | None = None
    total: int | None = None

    def with_rows(self, rows: Sequence[OtherRow]) -> "Page[OtherRow]":
        """The same page with what `rows` were turned into."""
        return Page(rows, self.next, self.number, self.page_count, self.total)


def page_by_number(
    session: Session, query: Select[Row], number: int, size: int, total: int | None = None
) -> Page[Row]:
    """Page `number` of `query`, or the nearest page there is. Rows are counted unless `total` is
    given.
    """
    if total is None:
        total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery()))
    return page_of_slices(
        total or 0,
        number,
        size,
        lambda start, limit: session.scalars(query.offset(start).limit(limit)).all(),
    )


def page_of_slices(
    total: int,
    number: int,
    size: int,
    load: Callable[[int, int], Sequence[Row]],
    max_rows: int | None = None,
) -> Page[Row]:
    """Page `number` of `total` rows, or the nearest page there is. The pages end at `max_rows`.

    `load(start, limit)` returns up to `limit` rows from position `start`, counted from 0.
    """
    reachable = total if max_rows is None else min(total, max_rows)
    page_count = max(1, -(-reachable // size))
    number = min(max(1, number), page_count)
    start = (number - 1) * size
    rows = load(start, size if max_rows is None else min(size, max_rows - start))
    return Page(rows, number + 1 if number < page_count else None, number, page_count, total)


def uncounted_page(
    session: Session, query: Select[Row], number: int, size: int, max_number: int
) -> Page[Row]:
    """Page `number` of `query`, at most `max_number`, without counting. It is empty if the query
    has fewer rows.
    """
    number = min(max(1, number), max_number)
    candidates = session.scalars(query.offset((number - 1) * size).limit(size + 1)).all()
    page = cut_page(candidates, size, lambda _last: number + 1)
    return Page(page.rows, page.next if number < max_number else None, number)


def page_by_key(
    session: Session,
    query: Select[Row],
    key: InstrumentedAttribute[int],
    start: int | None,
    size: int,
    *,
    descending: bool = False,
) -> Page[Row]:
    """The next rows of `query` in the order of the unique column `key`, which the rows must have,
    after (or, `descending`, below) the key `start`; from the first if that is None.
    """
    if start is not None:
        query = query.where(key < start if descending else key > start)
    ordered = query.order_by(None).order_by(key.desc() if descending else key)
    candidates = session.scalars(ordered.limit(size + 1)).all()
    return cut_page(candidates, size, lambda last: getattr(last, key.key))


def cut_page(candidates: Sequence[Row], size: int, next_of: Callable[[Row], Any]) -> Page[Row]:
    """The first `size` of up to `size` + 1 candidates. If there is one more, another page follows:
    `next_of` returns its number or key from the last row of this one.
    """
    rows = candidates[:size]
    return Page(rows, next_of(rows[-1]) if len(candidates) > size else None)
