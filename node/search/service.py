"""Finding projects and outputs, for whoever reads: no page, count or suggestion holds what they may
not see.

What is found by the index is looked at again in the table of projects, in the same query. No more
is ever counted or turned to than `MOST`, so that no question costs more than that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    UnaryExpression,
    exists,
    func,
    select,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.operators import custom_op

from node.councils.models import Council
from node.federating.readers import Reader
from node.projects import service as projects
from node.projects.details import Freshness
from node.projects.models import Project, Visibility
from node.search import asking
from node.search.asking import Query, any_of, one
from node.search.documents import between, label, of_plugin
from node.search.fulltext import PROJECTS, FullText
from node.search.indexing import key_of
from node.search.models import Entry, OutputEntry
from node.search.wanted import Wanted

PAGE = 20
# So many are counted and can be turned to; of what is more, it is said that it is more.
MOST = 1_000
SUGGESTIONS = 8
# What comes here so long after it was published, or changed, is no news.
LATE = timedelta(days=7)
HERE = ZoneInfo("Europe/London")

Indexed = type[Entry] | type[OutputEntry]


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
    ids = search.ids((number - 1) * PAGE, min(PAGE, MOST - (number - 1) * PAGE), total)
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
    return _in_order(session, search.ids(start, min(most, MOST - start), search.count()))


def new_since(
    session: Session, wanted: Wanted, reader: Reader, since: datetime, most: int
) -> list[Project]:
    """The projects that `wanted` describes and that were first here after `since`, newest first."""
    search = _Search(session, wanted, reader)
    search.only((Project.created_at > since) | (Project.published_at > since))
    query = search.query(search.asked, key_of(since - LATE))
    return _in_order(session, session.scalars(query.limit(most)).all())


def suggest(session: Session, text: str, reader: Reader) -> list[Project]:
    """Projects whose titles have these words, of which the last may have just begun."""
    choices = asking.beginning(text)
    if not choices:
        return []
    search = _Search(session, Wanted(sort="updated"), reader)
    asked = search.asked.and_also(*choices)
    return _in_order(session, session.scalars(search.query(asked).limit(SUGGESTIONS)).all())


def _in_order(session: Session, ids: Sequence[int]) -> list[Project]:
    found = {
        project.id: project
        for project in session.scalars(
            projects.with_councils(select(Project).where(Project.id.in_(ids)))
        )
    }
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
        # Everything has one of these: so that there is something to take others from.
        seen = any_of(label("v", each.value) for each in visible(reader))
        self._asks = bool(text.every or text.none or facets or without)
        self.asked = Query((seen, *text.every, *facets), (*text.none, *without))

    def only(self, condition: ColumnElement[bool]) -> None:
        """Narrow it down by something that the index does not have."""
        self._shown &= condition

    def count(self) -> int:
        """How many there are, `MOST` + 1 at most."""
        if self.is_empty:
            return 0
        some = self.query(self.asked, ordered=False).limit(MOST + 1).subquery()
        return self._session.scalar(select(func.count()).select_from(some)) or 0

    def ids(self, start: int, most: int, total: int) -> Sequence[int]:
        """The ids of the projects on a page."""
        if self.is_empty or not total:
            return []
        if self._wanted.order == "relevance" and self._wording.asked:
            return self._best_first(start, most)
        if total > MOST and self._wanted.sort in {"title", "ends"}:
            query = self._through()
        else:
            query = self.query(self.asked)
        return self._session.scalars(query.offset(start).limit(most)).all()

    def _through(self) -> Select[Any]:
        """Of very many, those of the first pages: it is gone through all in their order, which
        comes upon these soon, where sorting would read every one of them.
        """
        rows, key = PROJECTS.rows(self._session)
        found = select(key).select_from(rows).where(PROJECTS.matches(self._session, self.asked))
        every = self.query(Query())
        return every.where(plain(self._session, Entry.id).in_(found)) if self._asks else every

    def _best_first(self, start: int, most: int) -> Sequence[int]:
        """Those with all of the words in their titles before the others."""
        title = self._wording.in_title()
        better = self.query(self.asked.and_also(*title))
        best = self._session.scalars(better.limit(start + most)).all()
        if len(best) >= start + most:
            return best[start:]
        rest = (
            self.query(self.asked)
            .where(Entry.project_id.not_in(best))
            .limit(start + most - len(best))
        )
        return [*best, *self._session.scalars(rest)][start:]

    def query(self, asked: Query, after: int = 0, *, ordered: bool = True) -> Select[Any]:
        """The ids of projects, in the order that is wanted."""
        wanted = self._wanted
        first = max(after, _key_of_day(wanted.updated_from, 0) or 0)
        last = _key_of_day(wanted.updated_to, 1)
        key: SQLColumnExpression[int]
        if asked.every and (self._asks or asked != self.asked):
            query, key = matching(self._session, Entry, PROJECTS, asked)
        else:
            query, key = select(Entry.project_id), Entry.id
        query = query.where(is_there(Entry, self._shown))
        if first:
            query = query.where(key >= first)
        if last is not None:
            query = query.where(key < last)
        query = query.where(*_days(wanted))
        return query.order_by(*_order(wanted, key)) if ordered else query


def matching(
    session: Session, model: Indexed, texts: FullText, asked: Query
) -> tuple[Select[Any], SQLColumnExpression[int]]:
    """The projects of what the index finds, and the id to sort them by."""
    rows, key = texts.rows(session)
    query = select(model.project_id).select_from(rows).join(model, model.id == plain(session, key))
    return query.where(texts.matches(session, asked)), key


def is_there(model: Indexed, shown: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether the project of an entry is one of these. As a question about each entry, so that no
    database begins with the projects, which are many more.
    """
    return exists().where(Project.id == model.project_id, shown)


def plain(session: Session, column: SQLColumnExpression[int]) -> SQLColumnExpression[int]:
    """A column as a value and no more. SQLite is to go from what is found to the projects, and not
    through all projects to what is found, as it would choose.
    """
    if session.get_bind().dialect.name != "sqlite":
        return column
    value: Any = column
    return UnaryExpression(value.expression, operator=custom_op("+"))


def _order(wanted: Wanted, key: SQLColumnExpression[int]) -> tuple[SQLColumnExpression[Any], ...]:
    if wanted.sort == "title":
        return Entry.title, Entry.id
    if wanted.sort == "ends":
        return Entry.ends_on, Entry.id
    return (key.desc(),)


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
    ):
        if first or last:
            found.append(any_of(between(kind, first, last)))
    return tuple(found)


def _days(wanted: Wanted) -> list[ColumnElement[bool]]:
    """The index knows months; these are the days."""
    spans = (
        (Entry.starts_on, wanted.starts_from, wanted.starts_to),
        (Entry.ends_on, wanted.ends_from, wanted.ends_to),
    )
    found: list[ColumnElement[bool]] = []
    for column, first, last in spans:
        if first:
            found.append(column >= first)
        if last:
            found.append(column <= last)
    if wanted.sort == "ends":
        found.append(Entry.ends_on >= datetime.now(HERE).date())
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
