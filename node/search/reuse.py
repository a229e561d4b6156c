"""The catalogue for reuse: what projects give to everybody, found by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, SQLColumnExpression, func, select
from sqlalchemy.orm import Session

from node.federating.readers import Reader
from node.projects import service as projects
from node.projects.details import Output
from node.projects.models import Project
from node.search import asking
from node.search.asking import Query, any_of, one
from node.search.documents import LICENCES, label
from node.search.fulltext import OUTPUTS
from node.search.models import OutputEntry
from node.search.service import MOST, PAGE, is_there, matching, visible

SORTS = ("relevance", "adopters", "updated", "title")
FAMILIES = (*LICENCES, "other", "none")


@dataclass(frozen=True)
class Asked:
    """What is looked for in the catalogue; the empty one is everything."""

    q: str = ""
    licence: str = ""
    adopted: str = ""
    sort: str = ""

    @property
    def order(self) -> str:
        if self.sort and not (self.sort == "relevance" and not self.q):
            return self.sort
        return "relevance" if self.q else "adopters"

    @property
    def narrows(self) -> bool:
        return bool(self.q or self.licence or self.adopted)


@dataclass(frozen=True)
class Offer:
    """An output, and the project that it is of."""

    output: Output
    project: Project


@dataclass(frozen=True)
class Page:
    """One page of the catalogue, as `node.search.service.Page`."""

    offers: list[Offer]
    number: int
    pages: int
    total: int

    @property
    def is_more(self) -> bool:
        return self.total > MOST


def read(given: Mapping[str, str]) -> Asked:
    """What an address asks for; what means nothing is left out."""
    q = " ".join(given.get("q", "").replace("\0", " ").split())[: asking.LONGEST]
    licence, sort = given.get("licence", ""), given.get("sort", "")
    return Asked(
        q,
        licence if licence in FAMILIES else "",
        "yes" if given.get("adopted") == "yes" else "",
        sort if sort in SORTS else "",
    )


def find(session: Session, asked: Asked, reader: Reader, number: int = 1) -> Page:
    """The outputs that `asked` describes, of all projects that the reader may see."""
    wording = asking.read(asked.q)
    if asked.q and not wording:
        return Page([], 1, 1, 0)
    whole = _whole(asked, wording, reader)
    some = _query(session, whole, reader).with_only_columns(OutputEntry.id).limit(MOST + 1)
    total = session.scalar(select(func.count()).select_from(some.subquery())) or 0
    pages = max(1, -(-min(total, MOST) // PAGE))
    number = min(max(1, number), pages)
    start = (number - 1) * PAGE
    most = min(PAGE, MOST - start)
    query = _query(session, whole, reader).order_by(*_order(asked))
    if asked.order == "relevance" and wording.asked:
        title = _query(session, whole.and_also(*wording.in_title()), reader)
        best = session.execute(title.order_by(*_order(asked)).limit(start + most)).all()
        rest = query.where(OutputEntry.id.not_in([row.id for row in best]))
        left = start + most - len(best)
        rows = [*best, *(session.execute(rest.limit(left)).all() if left else ())][start:]
    else:
        rows = list(session.execute(query.offset(start).limit(most)).all())
    return Page(_offers(session, rows), number, pages, total)


def _whole(asked: Asked, wording: asking.Wording, reader: Reader) -> Query:
    text = wording.anywhere()
    seen = any_of(label("v", each.value) for each in visible(reader))
    facets = [
        one(label(kind, value))
        for kind, value in (("licence", asked.licence), ("adopted", asked.adopted))
        if value
    ]
    return Query((seen, *text.every, *facets), text.none)


def _query(session: Session, asked: Query, reader: Reader) -> Select[Any]:
    query: Select[Any]
    if len(asked.every) > 1 or asked.none:
        query, _key = matching(session, OutputEntry, OUTPUTS, asked)
    else:
        query = select(OutputEntry)
    query = query.where(is_there(OutputEntry, projects.visible(reader)))
    columns: Any = (OutputEntry.id, OutputEntry.project_id, OutputEntry.token)
    return query.with_only_columns(*columns)


def _order(asked: Asked) -> tuple[SQLColumnExpression[Any], ...]:
    if asked.order == "adopters":
        return OutputEntry.adopters.desc(), OutputEntry.id.desc()
    if asked.order == "title":
        return OutputEntry.title, OutputEntry.id
    return (OutputEntry.id.desc(),)


def _offers(session: Session, rows: Sequence[Any]) -> list[Offer]:
    """The outputs as their projects have them now."""
    wanted = Project.id.in_({row.project_id for row in rows})
    query = projects.with_councils(select(Project).where(wanted))
    found = {project.id: project for project in session.scalars(query)}
    offers = []
    for row in rows:
        project = found[row.project_id]
        said = (each for each in project.details.outputs if each.token == row.token)
        output = next(said, None)
        if output is not None:
            offers.append(Offer(output, project))
    return offers
