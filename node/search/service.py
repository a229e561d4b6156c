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
from node.federating.readers import Reader
from node.projects import service as projects
from node.projects.details import Freshness
from node.projects.models import Project, Visibility
from node.search import asking
from node.search.asking import Query, Term, any_of, one
from node.search.documents import between, label, of_plugin
from node.search.fulltext import PROJECTS, FullText
from node.search.indexing import key_of
from node.search.models import Entry
from node.search.picking import Indexed, Order, Picking, is_there, plain
from node.search.wanted import Wanted

PAGE = 20
# So many are counted and can be turned to; of what is more, it is said that it is more.
MOST = 1_000
SUGGESTIONS = 8
# What comes here so long after it was published, or changed, is no news.
LATE = timedelta(days=7)
HERE = ZoneInfo("Europe/London")

# The orders that are not those of the index.
SORTED = ("title", "ends", "contract")


@dataclass(frozen=True)
class Page:
    """One page of what was found. `number` counts from 1; `total` is at most `MOST` + 1, which
    means more.
    """

    projects: list[Project]
    number: int
    pages: int
    total: int

    @property
    def is_more(self) -> bool:
        return self.total > MOST


def find(session: Session, wanted: Wanted, reader: Reader, number: int = 1) -> Page:
    """The projects that `wanted` describes."""
    search = _Search(session, wanted, reader)
    total = search.count()
    pages = max(1, -(-min(total, MOST) // PAGE))
    number = min(max(1, number), pages)
    ids = search.ids((number - 1) * PAGE, min(PAGE, MOST - (number - 1) * PAGE))
    return Page(_in_order(session, ids), number, pages, total)


def ordered(
    session: Session,
    wanted: Wanted,
    reader: Reader,
    start: int,
    most: int,
    since: datetime | None = None,
) -> list[Project]:
    """So many after the first `start` of the projects that `wanted` describes, in its order; those
    that changed `since`.
    """
    search = _Search(session, wanted, reader)
    if since is not None:
        search.only(Project.changed_at >= since)
    return _in_order(session, search.ids(start, min(most, MOST - start)))


def new_since(
    session: Session, wanted: Wanted, reader: Reader, since: datetime, most: int
) -> list[Project]:
    """The projects that `wanted` describes and that were first here after `since`, newest first."""
    search = _Search(session, wanted, reader)
    search.only((Project.created_at > since) | (Project.published_at > since))
    return _in_order(session, search.newest(search.asked, most, key_of(since - LATE)))


def suggest(session: Session, text: str, reader: Reader) -> list[Project]:
    """Projects whose titles have these words, of which the last may have just begun."""
    choices = asking.beginning(text)
    if not choices:
        return []
    search = _Search(session, Wanted(sort="updated"), reader)
    return _in_order(session, search.newest(Query(choices), SUGGESTIONS))


def _in_order(session: Session, ids: Sequence[int]) -> list[Project]:
    """The projects of entries."""
    there = select(Project).join(Entry, Entry.project_id == Project.id).where(Entry.id.in_(ids))
    query = projects.with_councils(there).add_columns(Entry.id)
    found = {number: project for project, number in session.execute(query)}
    return [found[number] for number in ids if number in found]


class _Search:
    """One search: what is asked of the index, and what is looked at besides."""

    def __init__(self, session: Session, wanted: Wanted, reader: Reader) -> None:
        self._session = session
        self._wanted = wanted
        # What is not current is old: the first pages hardly come across it.
        shows = projects.shown_to if wanted.of_archive else projects.visible
        self._shown = shows(reader)
        self._wording = asking.read(wanted.q)
        # Text without a word in it is found nowhere.
        self.is_empty = bool(wanted.q) and not self._wording
        self._first: Sequence[int] | None = None
        facets: tuple[asking.Choice, ...] = labels_of(wanted)
        without: asking.Choice = ()
        if wanted.origin:
            ours = select(Council.id).where(Council.slug.is_not(None))
            here = any_of(label("c", number) for number in session.scalars(ours))
            if wanted.origin == "ours":
                facets = (*facets, here)
            else:
                without = here
        text = self._wording.anywhere()
        self.asked = question((*text.every, *facets), (*text.none, *without), reader)
        # Whatever has the words in its title has them.
        self._better = replace(self.asked, every=(*self._wording.in_title(), *facets))

    def only(self, condition: ColumnElement[bool]) -> None:
        """Narrow it down by something that the index does not have."""
        self._shown &= condition

    def count(self) -> int:
        """How many there are, `MOST` + 1 at most."""
        return len(self._found())

    def ids(self, start: int, most: int) -> Sequence[int]:
        """The entries of a page."""
        found = self._found()
        if self._wanted.order == "relevance" and self._wording.asked:
            best = self.newest(self._better, start + most) if found else ()
            return best_first(best, found)[start : start + most]
        if self._wanted.sort in SORTED and self.asked.every and found:
            order = _order(self._wanted)
            return self._picking().sorted(self.asked, found, order, start, most, MOST)
        return found[start : start + most]

    def newest(self, asked: Query, most: int, after: int = 0) -> Sequence[int]:
        """The entries that have what is asked for, last changed first."""
        return self._picking(after).newest(asked, most)

    def _found(self) -> Sequence[int]:
        """The first of them: the newest, where words or labels are asked for, else those that come
        first in the order that is wanted.
        """
        if self._first is None:
            if self.is_empty:
                self._first = ()
            elif self.asked.every:
                self._first = self.newest(self.asked, MOST + 1)
            else:
                self._first = self._picking().in_order(_order(self._wanted), 0, MOST + 1)
        return self._first

    def _picking(self, after: int = 0) -> Picking:
        wanted = self._wanted
        return Picking(
            self._session,
            Entry,
            PROJECTS,
            (is_there(Entry, self._shown), *_days(wanted)),
            first=max(after, _key_of_day(wanted.updated_from, 0) or 0),
            last=_key_of_day(wanted.updated_to, 1),
        )


def question(every: tuple[asking.Choice, ...], none: tuple[Term, ...], reader: Reader) -> Query:
    """A question to the index. What may be seen is looked at in the table of projects; only where
    there is nothing to take others from, it is taken from everything.
    """
    if none and not every:
        every = (any_of(label("v", each.value) for each in visible(reader)),)
    return Query(every, none)


def best_first(best: Sequence[int], found: Sequence[int]) -> list[int]:
    """Those with all of the words in their titles before the others."""
    first = set(best)
    return [*best, *(number for number in found if number not in first)]


def matching(
    session: Session, model: Indexed, texts: FullText, asked: Query
) -> tuple[Select[Any], SQLColumnExpression[int]]:
    """The projects of what the index finds, and the id to sort them by."""
    rows, key = texts.rows(session)
    query = select(model.project_id).select_from(rows).join(model, model.id == plain(session, key))
    return query.where(texts.matches(session, asked)), key


def _order(wanted: Wanted) -> Order:
    if wanted.sort == "title":
        return Entry.title, Entry.id
    if wanted.sort == "ends":
        return Entry.ends_on, Entry.id
    if wanted.sort == "contract":
        return Entry.contract_ends_on, Entry.id
    return (Entry.id.desc(),)


def visible(reader: Reader) -> list[Visibility]:
    """The labels that a project has which the reader may see; more is looked at later."""
    if reader.is_ours:
        return list(Visibility)
    return [Visibility(word) for word in reader.audiences]


def labels_of(wanted: Wanted) -> tuple[asking.Choice, ...]:
    """The labels in the index of which the wanted projects have one each."""
    found = [
        one(label(kind, value))
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
        of_plugins.setdefault(facet, []).append(of_plugin(facet, value))
    found += [any_of(labels) for labels in of_plugins.values()]
    for kind, first, last in (
        ("start", wanted.starts_from, wanted.starts_to),
        ("end", wanted.ends_from, wanted.ends_to),
        ("contract", wanted.contract_from, wanted.contract_to),
    ):
        if first or last:
            found.append(any_of(between(kind, first, last)))
    return tuple(found)


def _days(wanted: Wanted) -> list[ColumnElement[bool]]:
    """The index knows months; these are the days."""
    spans = (
        (Entry.starts_on, wanted.starts_from, wanted.starts_to),
        (Entry.ends_on, wanted.ends_from, wanted.ends_to),
        (Entry.contract_ends_on, wanted.contract_from, wanted.contract_to),
    )
    found: list[ColumnElement[bool]] = []
    for column, first, last in spans:
        if first:
            found.append(column >= first)
        if last:
            found.append(column <= last)
    if wanted.sort == "ends":
        found.append(Entry.ends_on >= datetime.now(HERE).date())
    if wanted.sort == "contract":
        found.append(Entry.contract_ends_on >= datetime.now(HERE).date())
    return found


def _key_of_day(day: Any, later: int) -> int | None:
    """The first id of a day, or of the day so many days later, by the clocks here."""
    if day is None:
        return None
    return key_of(datetime.combine(day + timedelta(days=later), time(), HERE).astimezone(UTC))


def councils(session: Session) -> list[Council]:
    """The councils whose projects are shown, by name."""
    return list(
        session.scalars(select(Council).where(projects.is_shown(Council.id)).order_by(Council.name))
    )
