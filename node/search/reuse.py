"""The catalogue for reuse: what projects give to everybody, found by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from node.federating.readers import Reader
from node.projects import service as projects
from node.projects.details import Output
from node.projects.models import Project
from node.search import asking
from node.search.asking import Query, one
from node.search.documents import LICENCES, label
from node.search.fulltext import OUTPUTS
from node.search.models import OutputEntry
from node.search.picking import Order, Picking, is_there
from node.search.service import MOST, PAGE, best_first, question

SORTED = ("adopters", "title")
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
    there = is_there(OutputEntry, projects.visible(reader))
    entries = Picking(session, OutputEntry, OUTPUTS, (there,))
    whole, order = _whole(asked, wording, reader), _order(asked)
    is_indexed = bool(whole.every)
    found = entries.newest(whole, MOST + 1) if is_indexed else entries.in_order(order, 0, MOST + 1)
    pages = max(1, -(-min(len(found), MOST) // PAGE))
    number = min(max(1, number), pages)
    start = (number - 1) * PAGE
    most = min(PAGE, MOST - start)
    if asked.order == "relevance" and wording.asked and found:
        better = replace(whole, every=(*wording.in_title(), *_facets(asked)))
        ids = best_first(entries.newest(better, start + most), found)[start : start + most]
    elif asked.order in SORTED and is_indexed and found:
        ids = list(entries.sorted(whole, found, order, start, most, MOST))
    else:
        ids = list(found[start : start + most])
    return Page(_offers(session, ids), number, pages, len(found))


def _whole(asked: Asked, wording: asking.Wording, reader: Reader) -> Query:
    text = wording.anywhere()
    return question((*text.every, *_facets(asked)), text.none, reader)


def _facets(asked: Asked) -> tuple[asking.Choice, ...]:
    kinds = ("licence", asked.licence), ("adopted", asked.adopted)
    return tuple(one(label(kind, value)) for kind, value in kinds if value)


def _order(asked: Asked) -> Order:
    if asked.order == "adopters":
        return OutputEntry.adopters.desc(), OutputEntry.id.desc()
    if asked.order == "title":
        return OutputEntry.title, OutputEntry.id
    return (OutputEntry.id.desc(),)


def _offers(session: Session, ids: Sequence[int]) -> list[Offer]:
    """The outputs as their projects have them now."""
    there = select(Project).join(OutputEntry, OutputEntry.project_id == Project.id)
    there = there.where(OutputEntry.id.in_(ids))
    query = projects.with_councils(there).add_columns(OutputEntry.id, OutputEntry.token)
    found = {row.id: row for row in session.execute(query)}
    offers = []
    for number in ids:
        project, token = found[number].Project, found[number].token
        said = (each for each in project.outputs if each.token == token)
        output = next(said, None)
        if output is not None:
            offers.append(Offer(output, project))
    return offers
