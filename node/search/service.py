"""Searches projects for a viewer. Pages, counts and suggestions only cover what they may see.

The same SQL query that reads the index checks visibility in the project table. At most
`MAX_RESULTS` matches are counted and can be paged through, which bounds the cost of a search: their
ids are read at once, and each page is a slice of them.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, select
from sqlalchemy.orm import Session

from node.access.viewer import Viewer
from node.access.visibility import Visibility, can_read, resource_of
from node.councils import visibility as council_visibility
from node.councils.models import Council
from node.pagination import Page, page_of_slices
from node.projects import service as projects
from node.projects import visibility as project_visibility
from node.projects.details import Freshness
from node.projects.models import Project
from node.search import query_syntax
from node.search.entry_selection import (
    EntrySelector,
    IndexModel,
    OrderBy,
    project_exists,
    without_index,
)
from node.search.fulltext import PROJECTS, FullTextTable
from node.search.index_documents import date_range_labels, label, plugin_label
from node.search.indexing import entry_id_at
from node.search.models import ProjectIndexEntry
from node.search.query_syntax import IndexQuery, Term, has_any_label, has_label
from node.search.search_params import SearchParams

PAGE_SIZE = 20
# Results counted and shown at most; pages then say "More than 1,000".
MAX_RESULTS = 1_000
MAX_SUGGESTIONS = 8
# A project that arrives later than this after its last change is not a new result.
MAX_DELIVERY_DELAY = timedelta(days=7)
LONDON = ZoneInfo("Europe/London")

# Orders that need sorting by a column of the entries, unlike relevance and last changed.
SORTS_IN_INDEX = ("title", "ends", "contract")


def find_projects(
    session: Session, params: SearchParams, viewer: Viewer, number: int = 1
) -> Page[Project]:
    """Page `number` of the projects that match, in the order of the search. A total of
    `MAX_RESULTS` + 1 means "more than `MAX_RESULTS`".
    """
    search = _Search(session, params, viewer)
    page = page_of_slices(search.count(), number, PAGE_SIZE, search.page_ids, MAX_RESULTS)
    return page.with_rows(_load_projects(session, page.rows))


def list_ordered(
    session: Session,
    params: SearchParams,
    viewer: Viewer,
    start: int,
    limit: int,
    since: datetime | None = None,
) -> list[Project]:
    """Up to `limit` matching projects from position `start`, in the order of the search; with
    `since`, only those changed since then.
    """
    search = _Search(session, params, viewer)
    if since is not None:
        search.add_condition(Project.changed_at >= since)
    return _load_projects(session, search.page_ids(start, min(limit, MAX_RESULTS - start)))


def list_new_since(
    session: Session, params: SearchParams, viewer: Viewer, since: datetime, limit: int
) -> list[Project]:
    """Up to `limit` matching projects first seen here after `since`, newest first."""
    search = _Search(session, params, viewer)
    search.add_condition((Project.created_at > since) | (Project.published_at > since))
    return _load_projects(
        session, search.newest(search.query, limit, entry_id_at(since - MAX_DELIVERY_DELAY))
    )


def suggest(session: Session, text: str, viewer: Viewer) -> list[Project]:
    """Projects whose titles contain the words of `text`; the last word may be incomplete."""
    alternatives = query_syntax.parse_prefix(text)
    if not alternatives:
        return []
    search = _Search(session, SearchParams(sort="updated"), viewer)
    return _load_projects(session, search.newest(IndexQuery(alternatives), MAX_SUGGESTIONS))


def _load_projects(session: Session, ids: Sequence[int]) -> list[Project]:
    """The projects of these index entries, in the order of `ids`."""
    of_entries = (
        select(Project)
        .join(ProjectIndexEntry, ProjectIndexEntry.project_id == Project.id)
        .where(ProjectIndexEntry.id.in_(ids))
    )
    query = projects.eager_load_councils(of_entries).add_columns(ProjectIndexEntry.id)
    by_entry_id = {entry_id: project for project, entry_id in session.execute(query)}
    return [by_entry_id[entry_id] for entry_id in ids if entry_id in by_entry_id]


class _Search:
    """One search: the query for the index, and the conditions on the project table."""

    def __init__(self, session: Session, params: SearchParams, viewer: Viewer) -> None:
        self._session = session
        self._params = params
        # Archived projects are excluded here and not by a label: they are old, so the first pages
        # hardly meet them.
        self._project_condition = project_visibility.is_listed_for(
            viewer, include_archived=params.includes_archived
        )
        self._parsed = query_syntax.parse(params.q)
        # Text without any word finds nothing.
        self.is_empty = bool(params.q) and not self._parsed
        self._first_matches: Sequence[int] | None = None
        facets: tuple[query_syntax.Alternatives, ...] = label_alternatives(params)
        excluded: query_syntax.Alternatives = ()
        if params.origin:
            own_ids = select(Council.id).where(Council.slug.is_not(None))
            own_labels = has_any_label(
                label("c", council_id) for council_id in session.scalars(own_ids)
            )
            if params.origin == "ours":
                facets = (*facets, own_labels)
            else:
                excluded = own_labels
        text = self._parsed.to_query()
        self.query = build_query((*text.all_of, *facets), (*text.none_of, *excluded), viewer)
        # Words of the title are indexed as words of the text too, so the title's terms suffice.
        in_title = (*self._parsed.title_alternatives(), *facets)
        self._title_query = replace(self.query, all_of=in_title)

    def add_condition(self, condition: ColumnElement[bool]) -> None:
        """Narrow the search by a condition on the project table."""
        self._project_condition &= condition

    def count(self) -> int:
        """The number of matches, at most `MAX_RESULTS` + 1."""
        return len(self._first_ids())

    def page_ids(self, start: int, limit: int) -> Sequence[int]:
        """The ids of up to `limit` entries from position `start`."""
        first_ids = self._first_ids()
        if self._params.order == "relevance" and self._parsed.required:
            best = self.newest(self._title_query, start + limit) if first_ids else ()
            return prepend_best(best, first_ids)[start : start + limit]
        if self._params.sort in SORTS_IN_INDEX and self.query.all_of and first_ids:
            order = _order_by(self._params)
            return self._selector().matching_in_order(
                self.query, first_ids, order, start, limit, MAX_RESULTS
            )
        return first_ids[start : start + limit]

    def newest(self, query: IndexQuery, limit: int, after: int = 0) -> Sequence[int]:
        """The ids of entries that match `query`, last changed first, from id `after` on."""
        return self._selector(after).newest(query, limit)

    def _first_ids(self) -> Sequence[int]:
        """The ids of up to `MAX_RESULTS` + 1 matches, read once: the newest if the search has text
        or labels, else the first in its order.
        """
        if self._first_matches is None:
            if self.is_empty:
                self._first_matches = ()
            elif self.query.all_of:
                self._first_matches = self.newest(self.query, MAX_RESULTS + 1)
            else:
                self._first_matches = self._selector().ordered(
                    _order_by(self._params), 0, MAX_RESULTS + 1
                )
        return self._first_matches

    def _selector(self, after: int = 0) -> EntrySelector:
        params = self._params
        return EntrySelector(
            self._session,
            ProjectIndexEntry,
            PROJECTS,
            (
                project_exists(ProjectIndexEntry, self._project_condition),
                *_date_conditions(params),
            ),
            first=max(after, _entry_id_at_day(params.updated_from, 0) or 0),
            last=_entry_id_at_day(params.updated_to, 1),
        )


def build_query(
    all_of: tuple[query_syntax.Alternatives, ...], none_of: tuple[Term, ...], viewer: Viewer
) -> IndexQuery:
    """A query for the index. If it only excludes terms, the labels of visible projects are added:
    full-text engines cannot exclude from nothing.
    """
    if none_of and not all_of:
        all_of = (
            has_any_label(label("v", visibility.value) for visibility in visible_labels(viewer)),
        )
    return IndexQuery(all_of, none_of)


def prepend_best(best: Sequence[int], matches: Sequence[int]) -> list[int]:
    """The ids in `best`, then the other `matches`."""
    first = set(best)
    return [*best, *(entry_id for entry_id in matches if entry_id not in first)]


def select_matching(
    session: Session, model: IndexModel, fulltext: FullTextTable, query: IndexQuery
) -> tuple[Select[Any], SQLColumnExpression[int]]:
    """A SELECT of the ids of matching projects, and the entry id to sort them by."""
    table, key = fulltext.table_and_key(session)
    statement = (
        select(model.project_id)
        .select_from(table)
        .join(model, model.id == without_index(session, key))
    )
    return statement.where(fulltext.matches(session, query)), key


def _order_by(params: SearchParams) -> OrderBy:
    if params.sort == "title":
        return ProjectIndexEntry.title, ProjectIndexEntry.id
    if params.sort == "ends":
        return ProjectIndexEntry.ends_on, ProjectIndexEntry.id
    if params.sort == "contract":
        return ProjectIndexEntry.contract_ends_on, ProjectIndexEntry.id
    return (ProjectIndexEntry.id.desc(),)


def visible_labels(viewer: Viewer) -> list[Visibility]:
    """The visibilities of projects that the viewer may see. This is a first selection: other
    conditions are checked in the project table.
    """
    return [value for value in Visibility if can_read(viewer, resource_of(value))]


def label_alternatives(params: SearchParams) -> tuple[query_syntax.Alternatives, ...]:
    """The labels that a search requires: projects must have one of each group."""
    groups = [
        has_label(label(kind, value))
        for kind, value in (
            ("c", params.council),
            ("region", params.region),
            ("capability", params.capability),
            ("area", params.area),
            ("lgsl", params.lgsl),
            ("tag", params.tag),
            ("technology", params.technology),
            ("skill", params.skill),
            ("fresh", Freshness.archived if params.show else None),
        )
        if value
    ]
    choices = {
        "phase": params.phase,
        "budget": params.budget,
        "collaboration": params.collaboration,
        "fresh": params.freshness,
    }
    for kind, values in choices.items():
        if values:
            groups.append(has_any_label(label(kind, value) for value in values))
    plugin_labels: dict[str, list[str]] = {}
    for facet_value in params.facet:
        facet, _, value = facet_value.partition(":")
        plugin_labels.setdefault(facet, []).append(plugin_label(facet, value))
    groups += [has_any_label(labels) for labels in plugin_labels.values()]
    for kind, first, last in (
        ("start", params.starts_from, params.starts_to),
        ("end", params.ends_from, params.ends_to),
        ("contract", params.contract_from, params.contract_to),
    ):
        if first or last:
            groups.append(has_any_label(date_range_labels(kind, first, last)))
    return tuple(groups)


def _date_conditions(params: SearchParams) -> list[ColumnElement[bool]]:
    """SQL conditions for the exact days: the labels of the index only know months."""
    ranges = (
        (ProjectIndexEntry.starts_on, params.starts_from, params.starts_to),
        (ProjectIndexEntry.ends_on, params.ends_from, params.ends_to),
        (ProjectIndexEntry.contract_ends_on, params.contract_from, params.contract_to),
    )
    conditions: list[ColumnElement[bool]] = []
    for column, first, last in ranges:
        if first:
            conditions.append(column >= first)
        if last:
            conditions.append(column <= last)
    if params.sort == "ends":
        conditions.append(ProjectIndexEntry.ends_on >= datetime.now(LONDON).date())
    if params.sort == "contract":
        conditions.append(ProjectIndexEntry.contract_ends_on >= datetime.now(LONDON).date())
    return conditions


def _entry_id_at_day(day: Any, days_later: int) -> int | None:
    """The smallest entry id of a day plus `days_later`, which starts at midnight in Britain."""
    if day is None:
        return None
    return entry_id_at(
        datetime.combine(day + timedelta(days=days_later), time(), LONDON).astimezone(UTC)
    )


def list_shown_councils(session: Session) -> list[Council]:
    """The councils whose projects are shown, by name."""
    return list(
        session.scalars(
            select(Council).where(council_visibility.is_shown(Council.id)).order_by(Council.name)
        )
    )
