"""Search parameters as SQL conditions on the project table, for lists in other orders, charts,
feeds and exports.

Parameters with a column in the project table filter by the column; the others use the index.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from node.access.viewer import Viewer
from node.access.visibility import Visibility
from node.councils import visibility as council_visibility
from node.projects import service as projects
from node.projects import visibility as project_visibility
from node.projects.details import Freshness
from node.projects.models import Phase, Project
from node.search import query_syntax
from node.search.fulltext import PROJECTS
from node.search.index_documents import label
from node.search.models import ProjectIndexEntry
from node.search.query_syntax import IndexQuery, has_any_label
from node.search.search_params import SearchParams
from node.search.service import LONDON, label_alternatives, select_matching

# Parameters without a column in the project table.
INDEX_ONLY_FIELDS = (
    *("q", "region", "capability", "area", "lgsl", "tag", "technology", "skill"),
    *("budget", "collaboration", "facet"),
)


def to_project_filter(
    session: Session, params: SearchParams, viewer: Viewer
) -> projects.ProjectFilter:
    """The filter for the published projects that a search finds; its order is ignored."""
    condition = to_condition(session, params)
    return projects.ProjectFilter(
        viewer, include_archived=params.includes_archived, condition=condition
    )


def to_visible_condition(
    session: Session, params: SearchParams, viewer: Viewer
) -> ColumnElement[bool]:
    """The SQL condition for projects that a search finds and the viewer may see."""
    is_listed = project_visibility.is_listed_for(viewer, include_archived=params.includes_archived)
    return and_(is_listed, to_condition(session, params))


def needs_index(params: SearchParams) -> bool:
    """Whether a search uses the index, and so cannot find drafts, which are not indexed."""
    return _index_params(params) != SearchParams()


def to_condition(session: Session, params: SearchParams) -> ColumnElement[bool]:
    """The SQL condition for projects that a search finds, whoever may see them."""
    return and_(true(), *_column_conditions(params), *_index_conditions(session, params))


def _column_conditions(params: SearchParams) -> Iterator[ColumnElement[bool]]:
    if params.origin:
        is_own = council_visibility.is_own(Project.council_id)
        yield is_own if params.origin == "ours" else ~is_own
    if params.council is not None:
        yield Project.council_id == params.council
    if params.phase:
        yield Project.phase.in_([Phase(value) for value in params.phase])
    if params.freshness:
        yield Project.freshness.in_([Freshness(value) for value in params.freshness])
    if params.show:
        yield Project.freshness == Freshness.archived
    yield from _date_range_conditions(Project.starts_on, params.starts_from, params.starts_to)
    yield from _date_range_conditions(Project.ends_on, params.ends_from, params.ends_to)
    yield from _date_range_conditions(
        Project.contract_ends_on, params.contract_from, params.contract_to
    )
    if params.updated_from:
        yield Project.changed_at >= _midnight(params.updated_from)
    if params.updated_to:
        yield Project.changed_at < _midnight(params.updated_to + timedelta(days=1))


def _date_range_conditions(
    column: "InstrumentedAttribute[date | None]", first: date | None, last: date | None
) -> Iterator[ColumnElement[bool]]:
    if first:
        yield column >= first
    if last:
        yield column <= last


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LONDON)


def _index_conditions(session: Session, params: SearchParams) -> Iterator[ColumnElement[bool]]:
    indexed = _index_params(params)
    parsed = query_syntax.parse(indexed.q)
    if indexed.q and not parsed:
        # Text without any word finds nothing.
        yield false()
    elif indexed != SearchParams():
        text = parsed.to_query()
        # A query that only excludes terms needs labels to exclude from.
        any_visibility = has_any_label(label("v", visibility.value) for visibility in Visibility)
        all_of = (*text.all_of, *label_alternatives(indexed)) or (any_visibility,)
        yield Project.id.in_(_select_matching_ids(session, IndexQuery(all_of, text.none_of)))


def _index_params(params: SearchParams) -> SearchParams:
    """The search with only those parameters that need the index."""
    values: dict[str, Any] = {name: getattr(params, name) for name in INDEX_ONLY_FIELDS}
    return replace(SearchParams(), **values)


def _select_matching_ids(session: Session, query: IndexQuery) -> Select[Any]:
    statement, _key = select_matching(session, ProjectIndexEntry, PROJECTS, query)
    return statement
