"""Finding projects and outputs, for whoever reads: no page, count or suggestion holds what they may
not see.

What is found by the index is looked at again in the table of projects, in the same query. No more
is ever counted or turned to than `MOST`, so that no question costs more than that: those are read
at once, and each page is a part of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, select
from sqlalchemy.orm import Session

from node.councils.models import Council
from node.federating.viewer import Viewer
from node.projects import service as projects
from node.projects.details import Freshness
from node.projects.models import Project, Visibility
from node.search import query_syntax
from node.search.fulltext import PROJECTS, FullTextTable
from node.search.index_documents import date_range_labels, label, plugin_label
from node.search.indexing import entry_id_at
from node.search.models import ProjectIndexEntry
from node.search.query_syntax import IndexQuery, Term, any_of, exactly
from node.search.ranking import EntrySelector, IndexModel, OrderBy, project_exists, without_index
from node.search.search_params import SearchParams

PAGE_SIZE = 20
# So many are counted and can be turned to; of what is more, it is said that it is more.
MAX_RESULTS = 1_000
SUGGESTIONS = 8
# What comes here so long after it was published, or changed, is no news.
MAX_LATENESS = timedelta(days=7)
LOCAL_ZONE = ZoneInfo("Europe/London")

# The orders that are not those of the index.
INDEX_SORTED = ("title", "ends", "contract")


@dataclass(frozen=True)
class SearchPage:
    """One page of what was found. `number` counts from 1; `total` is at most `MOST` + 1, which
    means more.
    """

    projects: list[Project]
    number: int
    pages: int
    total: int

    @property
    def has_more(self) -> bool:
        return self.total > MAX_RESULTS


def find_projects(
    session: Session, wanted: SearchParams, reader: Viewer, number: int = 1
) -> SearchPage:
    """The projects that `wanted` describes."""
    search = _Search(session, wanted, reader)
    total = search.count()
    pages = max(1, -(-min(total, MAX_RESULTS) // PAGE_SIZE))
    number = min(max(1, number), pages)
    ids = search.page_ids(
        (number - 1) * PAGE_SIZE, min(PAGE_SIZE, MAX_RESULTS - (number - 1) * PAGE_SIZE)
    )
    return SearchPage(_load_projects(session, ids), number, pages, total)


def list_ordered(
    session: Session,
    wanted: SearchParams,
    reader: Viewer,
    start: int,
    most: int,
    since: datetime | None = None,
) -> list[Project]:
    """So many after the first `start` of the projects that `wanted` describes, in its order; those
    that changed `since`.
    """
    search = _Search(session, wanted, reader)
    if since is not None:
        search.add_condition(Project.changed_at >= since)
    return _load_projects(session, search.page_ids(start, min(most, MAX_RESULTS - start)))


def list_new_since(
    session: Session, wanted: SearchParams, reader: Viewer, since: datetime, most: int
) -> list[Project]:
    """The projects that `wanted` describes and that were first here after `since`, newest first."""
    search = _Search(session, wanted, reader)
    search.add_condition((Project.created_at > since) | (Project.published_at > since))
    return _load_projects(
        session, search.newest(search.query, most, entry_id_at(since - MAX_LATENESS))
    )


def suggest(session: Session, text: str, reader: Viewer) -> list[Project]:
    """Projects whose titles have these words, of which the last may have just begun."""
    choices = query_syntax.parse_prefix(text)
    if not choices:
        return []
    search = _Search(session, SearchParams(sort="updated"), reader)
    return _load_projects(session, search.newest(IndexQuery(choices), SUGGESTIONS))


def _load_projects(session: Session, ids: Sequence[int]) -> list[Project]:
    """The projects of entries."""
    there = (
        select(Project)
        .join(ProjectIndexEntry, ProjectIndexEntry.project_id == Project.id)
        .where(ProjectIndexEntry.id.in_(ids))
    )
    query = projects.load_councils(there).add_columns(ProjectIndexEntry.id)
    found = {number: project for project, number in session.execute(query)}
    return [found[number] for number in ids if number in found]


class _Search:
    """One search: what is asked of the index, and what is looked at besides."""

    def __init__(self, session: Session, wanted: SearchParams, reader: Viewer) -> None:
        self._session = session
        self._params = wanted
        # What is not current is old: the first pages hardly come across it.
        shows = projects.is_visible_to if wanted.includes_archived else projects.is_listed_for
        self._visibility_condition = shows(reader)
        self._parsed = query_syntax.parse(wanted.q)
        # Text without a word in it is found nowhere.
        self.is_empty = bool(wanted.q) and not self._parsed
        self._first: Sequence[int] | None = None
        facets: tuple[query_syntax.Alternatives, ...] = label_alternatives(wanted)
        without: query_syntax.Alternatives = ()
        if wanted.origin:
            ours = select(Council.id).where(Council.slug.is_not(None))
            here = any_of(label("c", number) for number in session.scalars(ours))
            if wanted.origin == "ours":
                facets = (*facets, here)
            else:
                without = here
        text = self._parsed.to_query()
        self.query = build_query((*text.all_of, *facets), (*text.none_of, *without), reader)
        # Whatever has the words in its title has them.
        in_title = (*self._parsed.title_alternatives(), *facets)
        self._title_query = replace(self.query, all_of=in_title)

    def add_condition(self, condition: ColumnElement[bool]) -> None:
        """Narrow it down by something that the index does not have."""
        self._visibility_condition &= condition

    def count(self) -> int:
        """How many there are, `MOST` + 1 at most."""
        return len(self._first_ids())

    def page_ids(self, start: int, most: int) -> Sequence[int]:
        """The entries of a page."""
        found = self._first_ids()
        if self._params.order == "relevance" and self._parsed.required:
            best = self.newest(self._title_query, start + most) if found else ()
            return merge_best_first(best, found)[start : start + most]
        if self._params.sort in INDEX_SORTED and self.query.all_of and found:
            order = _order_by(self._params)
            return self._selector().matching_in_order(
                self.query, found, order, start, most, MAX_RESULTS
            )
        return found[start : start + most]

    def newest(self, asked: IndexQuery, most: int, after: int = 0) -> Sequence[int]:
        """The entries that have what is asked for, last changed first."""
        return self._selector(after).newest(asked, most)

    def _first_ids(self) -> Sequence[int]:
        """The first of them: the newest, where words or labels are asked for, else those that come
        first in the order that is wanted.
        """
        if self._first is None:
            if self.is_empty:
                self._first = ()
            elif self.query.all_of:
                self._first = self.newest(self.query, MAX_RESULTS + 1)
            else:
                self._first = self._selector().ordered(_order_by(self._params), 0, MAX_RESULTS + 1)
        return self._first

    def _selector(self, after: int = 0) -> EntrySelector:
        wanted = self._params
        return EntrySelector(
            self._session,
            ProjectIndexEntry,
            PROJECTS,
            (
                project_exists(ProjectIndexEntry, self._visibility_condition),
                *_date_conditions(wanted),
            ),
            first=max(after, _entry_id_at_day(wanted.updated_from, 0) or 0),
            last=_entry_id_at_day(wanted.updated_to, 1),
        )


def build_query(
    every: tuple[query_syntax.Alternatives, ...], none: tuple[Term, ...], reader: Viewer
) -> IndexQuery:
    """A question to the index. What may be seen is looked at in the table of projects; only where
    there is nothing to take others from, it is taken from everything.
    """
    if none and not every:
        every = (any_of(label("v", each.value) for each in visible_labels(reader)),)
    return IndexQuery(every, none)


def merge_best_first(best: Sequence[int], found: Sequence[int]) -> list[int]:
    """Those with all of the words in their titles before the others."""
    first = set(best)
    return [*best, *(number for number in found if number not in first)]


def select_matching(
    session: Session, model: IndexModel, texts: FullTextTable, asked: IndexQuery
) -> tuple[Select[Any], SQLColumnExpression[int]]:
    """The projects of what the index finds, and the id to sort them by."""
    rows, key = texts.table_and_key(session)
    query = (
        select(model.project_id)
        .select_from(rows)
        .join(model, model.id == without_index(session, key))
    )
    return query.where(texts.matches(session, asked)), key


def _order_by(wanted: SearchParams) -> OrderBy:
    if wanted.sort == "title":
        return ProjectIndexEntry.title, ProjectIndexEntry.id
    if wanted.sort == "ends":
        return ProjectIndexEntry.ends_on, ProjectIndexEntry.id
    if wanted.sort == "contract":
        return ProjectIndexEntry.contract_ends_on, ProjectIndexEntry.id
    return (ProjectIndexEntry.id.desc(),)


def visible_labels(reader: Viewer) -> list[Visibility]:
    """The labels that a project has which the reader may see; more is looked at later."""
    if reader.is_local_user:
        return list(Visibility)
    return [Visibility(word) for word in reader.audiences]


def label_alternatives(wanted: SearchParams) -> tuple[query_syntax.Alternatives, ...]:
    """The labels in the index of which the wanted projects have one each."""
    found = [
        exactly(label(kind, value))
        for kind, value in (
            ("c", wanted.council),
            ("region", wanted.region),
            ("capability", wanted.capability),
            ("area", wanted.area),
            ("lgsl", wanted.lgsl),
            ("tag", wanted.tag),
            ("technology", wanted.technology),
            ("skill", wanted.skill),
            ("fresh", Freshness.archived if wanted.show else None),
        )
        if value
    ]
    many = {
        "phase": wanted.phase,
        "budget": wanted.budget,
        "collaboration": wanted.collaboration,
        "fresh": wanted.freshness,
    }
    for kind, values in many.items():
        if values:
            found.append(any_of(label(kind, value) for value in values))
    of_plugins: dict[str, list[str]] = {}
    for each in wanted.facet:
        facet, _, value = each.partition(":")
        of_plugins.setdefault(facet, []).append(plugin_label(facet, value))
    found += [any_of(labels) for labels in of_plugins.values()]
    for kind, first, last in (
        ("start", wanted.starts_from, wanted.starts_to),
        ("end", wanted.ends_from, wanted.ends_to),
        ("contract", wanted.contract_from, wanted.contract_to),
    ):
        if first or last:
            found.append(any_of(date_range_labels(kind, first, last)))
    return tuple(found)


def _date_conditions(wanted: SearchParams) -> list[ColumnElement[bool]]:
    """The index knows months; these are the days."""
    spans = (
        (ProjectIndexEntry.starts_on, wanted.starts_from, wanted.starts_to),
        (ProjectIndexEntry.ends_on, wanted.ends_from, wanted.ends_to),
        (ProjectIndexEntry.contract_ends_on, wanted.contract_from, wanted.contract_to),
    )
    found: list[ColumnElement[bool]] = []
    for column, first, last in spans:
        if first:
            found.append(column >= first)
        if last:
            found.append(column <= last)
    if wanted.sort == "ends":
        found.append(ProjectIndexEntry.ends_on >= datetime.now(LOCAL_ZONE).date())
    if wanted.sort == "contract":
        found.append(ProjectIndexEntry.contract_ends_on >= datetime.now(LOCAL_ZONE).date())
    return found


def _entry_id_at_day(day: Any, later: int) -> int | None:
    """The first id of a day, or of the day so many days later, by the clocks here."""
    if day is None:
        return None
    return entry_id_at(
        datetime.combine(day + timedelta(days=later), time(), LOCAL_ZONE).astimezone(UTC)
    )


def list_shown_councils(session: Session) -> list[Council]:
    """The councils whose projects are shown, by name."""
    return list(
        session.scalars(
            select(Council).where(projects.is_council_shown(Council.id)).order_by(Council.name)
        )
    )
