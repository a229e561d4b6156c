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
from node.federating.viewer import Viewer
from node.projects import service as projects
from node.projects.details import Freshness
from node.projects.models import Phase, Project, Visibility
from node.search import query_syntax
from node.search.fulltext import PROJECTS
from node.search.index_documents import label
from node.search.models import ProjectIndexEntry
from node.search.query_syntax import IndexQuery, any_of
from node.search.search_params import SearchParams
from node.search.service import LOCAL_ZONE, label_alternatives, select_matching

# What the index alone knows.
INDEX_ONLY_FIELDS = (
    *("q", "region", "capability", "area", "lgsl", "tag", "technology", "skill"),
    *("budget", "collaboration", "facet"),
)


def to_project_filter(
    session: Session, wanted: SearchParams, reader: Viewer
) -> projects.ProjectFilter:
    """The published projects that `wanted` describes, whatever order it says."""
    only = to_condition(session, wanted)
    return projects.ProjectFilter(reader, with_archived=wanted.includes_archived, condition=only)


def to_visible_condition(
    session: Session, wanted: SearchParams, reader: Viewer
) -> ColumnElement[bool]:
    """The same, for a query on projects."""
    shows = projects.is_visible_to if wanted.includes_archived else projects.is_listed_for
    return and_(shows(reader), to_condition(session, wanted))


def needs_index(wanted: SearchParams) -> bool:
    """Whether only what is in the index can be found by it: drafts are not."""
    return _index_part(wanted) != SearchParams()


def to_condition(session: Session, wanted: SearchParams) -> ColumnElement[bool]:
    """What is true of each of them, whoever reads."""
    return and_(true(), *_column_conditions(wanted), *_index_conditions(session, wanted))


def _column_conditions(wanted: SearchParams) -> Iterator[ColumnElement[bool]]:
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
    yield from _date_range_conditions(Project.starts_on, wanted.starts_from, wanted.starts_to)
    yield from _date_range_conditions(Project.ends_on, wanted.ends_from, wanted.ends_to)
    yield from _date_range_conditions(
        Project.contract_ends_on, wanted.contract_from, wanted.contract_to
    )
    if wanted.updated_from:
        yield Project.changed_at >= _midnight(wanted.updated_from)
    if wanted.updated_to:
        yield Project.changed_at < _midnight(wanted.updated_to + timedelta(days=1))


def _date_range_conditions(
    column: "InstrumentedAttribute[date | None]", first: date | None, last: date | None
) -> Iterator[ColumnElement[bool]]:
    if first:
        yield column >= first
    if last:
        yield column <= last


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LOCAL_ZONE)


def _index_conditions(session: Session, wanted: SearchParams) -> Iterator[ColumnElement[bool]]:
    asked = _index_part(wanted)
    wording = query_syntax.parse(asked.q)
    if asked.q and not wording:
        # Text without a word in it is found nowhere.
        yield false()
    elif asked != SearchParams():
        text = wording.to_query()
        # Something to take others from.
        every = any_of(label("v", each.value) for each in Visibility)
        query = IndexQuery((*text.all_of, *label_alternatives(asked)) or (every,), text.none_of)
        yield Project.id.in_(_select_matching_ids(session, query))


def _index_part(wanted: SearchParams) -> SearchParams:
    kept: dict[str, Any] = {name: getattr(wanted, name) for name in INDEX_ONLY_FIELDS}
    return replace(SearchParams(), **kept)


def _select_matching_ids(session: Session, query: IndexQuery) -> Select[Any]:
    found, _key = select_matching(session, ProjectIndexEntry, PROJECTS, query)
    return found
