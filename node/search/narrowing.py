"""What is looked for as a condition on the table of projects, for lists in another order than the
finder's, for pictures and for programs.

What the table has in columns is asked of the table; the rest of the index.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from node.councils.models import Council
from node.federating.readers import Reader
from node.projects import service as projects
from node.projects.details import Freshness
from node.projects.models import Phase, Project, Visibility
from node.search import asking
from node.search.asking import Query, any_of
from node.search.documents import label
from node.search.fulltext import PROJECTS
from node.search.models import Entry
from node.search.service import HERE, labels_of, matching
from node.search.wanted import Wanted

# What the index alone knows.
INDEXED = (
    *("q", "region", "capability", "area", "lgsl", "tag", "technology", "skill"),
    *("budget", "collaboration", "facet"),
)


def filter_of(session: Session, wanted: Wanted, reader: Reader) -> projects.Filter:
    """The published projects that `wanted` describes, whatever order it says."""
    only = narrowed(session, wanted)
    return projects.Filter(reader, with_archived=wanted.of_archive, only=only)


def condition(session: Session, wanted: Wanted, reader: Reader) -> ColumnElement[bool]:
    """The same, for a query on projects."""
    shows = projects.shown_to if wanted.of_archive else projects.visible
    return and_(shows(reader), narrowed(session, wanted))


def asks_index(wanted: Wanted) -> bool:
    """Whether only what is in the index can be found by it: drafts are not."""
    return _of_index(wanted) != Wanted()


def narrowed(session: Session, wanted: Wanted) -> ColumnElement[bool]:
    """What is true of each of them, whoever reads."""
    return and_(true(), *_by_column(wanted), *_by_index(session, wanted))


def _by_column(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.origin:
        ours = Project.council_id.in_(select(Council.id).where(Council.slug.is_not(None)))
        yield ours if wanted.origin == "ours" else ~ours
    if wanted.council is not None:
        yield Project.council_id == wanted.council
    if wanted.phase:
        yield Project.phase.in_([Phase(word) for word in wanted.phase])
    if wanted.freshness:
        yield Project.freshness.in_([Freshness(word) for word in wanted.freshness])
    if wanted.show:
        yield Project.freshness == Freshness.archived
    yield from _between(Project.starts_on, wanted.starts_from, wanted.starts_to)
    yield from _between(Project.ends_on, wanted.ends_from, wanted.ends_to)
    yield from _between(Project.contract_ends_on, wanted.contract_from, wanted.contract_to)
    if wanted.updated_from:
        yield Project.changed_at >= _midnight(wanted.updated_from)
    if wanted.updated_to:
        yield Project.changed_at < _midnight(wanted.updated_to + timedelta(days=1))


def _between(
    column: "InstrumentedAttribute[date | None]", first: date | None, last: date | None
) -> Iterator[ColumnElement[bool]]:
    if first:
        yield column >= first
    if last:
        yield column <= last


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), HERE)


def _by_index(session: Session, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    asked = _of_index(wanted)
    wording = asking.read(asked.q)
    if asked.q and not wording:
        # Text without a word in it is found nowhere.
        yield false()
    elif asked != Wanted():
        text = wording.anywhere()
        # Something to take others from.
        every = any_of(label("v", each.value) for each in Visibility)
        query = Query((*text.every, *labels_of(asked)) or (every,), text.none)
        yield Project.id.in_(_found(session, query))


def _of_index(wanted: Wanted) -> Wanted:
    kept: dict[str, Any] = {name: getattr(wanted, name) for name in INDEXED}
    return replace(Wanted(), **kept)


def _found(session: Session, query: Query) -> Select[Any]:
    found, _key = matching(session, Entry, PROJECTS, query)
    return found
