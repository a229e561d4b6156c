"""The catalogue for reuse: what projects give to everybody, found by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from node.federating.viewer import Viewer
from node.projects import service as projects
from node.projects.details import Output
from node.projects.models import Project
from node.search import query_syntax
from node.search.fulltext import OUTPUTS
from node.search.index_documents import LICENCE_PATTERNS, label
from node.search.models import OutputIndexEntry
from node.search.query_syntax import IndexQuery, exactly
from node.search.ranking import EntrySelector, OrderBy, project_exists
from node.search.service import MAX_RESULTS, PAGE_SIZE, build_query, merge_best_first

INDEX_SORTED = ("adopters", "title")
SORTS = ("relevance", "adopters", "updated", "title")
LICENCE_FAMILIES = (*LICENCE_PATTERNS, "other", "none")


@dataclass(frozen=True)
class ReuseQuery:
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
    def is_narrowed(self) -> bool:
        return bool(self.q or self.licence or self.adopted)


@dataclass(frozen=True)
class ReusableOutput:
    """An output, and the project that it is of."""

    output: Output
    project: Project


@dataclass(frozen=True)
class ReusePage:
    """One page of the catalogue, as `node.search.service.SearchPage`."""

    offers: list[ReusableOutput]
    number: int
    pages: int
    total: int

    @property
    def has_more(self) -> bool:
        return self.total > MAX_RESULTS


def parse(given: Mapping[str, str]) -> ReuseQuery:
    """What an address asks for; what means nothing is left out."""
    q = " ".join(given.get("q", "").replace("\0", " ").split())[: query_syntax.MAX_LEN_QUERY]
    licence, sort = given.get("licence", ""), given.get("sort", "")
    return ReuseQuery(
        q,
        licence if licence in LICENCE_FAMILIES else "",
        "yes" if given.get("adopted") == "yes" else "",
        sort if sort in SORTS else "",
    )


def find_outputs(session: Session, asked: ReuseQuery, reader: Viewer, number: int = 1) -> ReusePage:
    """The outputs that `asked` describes, of all projects that the reader may see."""
    wording = query_syntax.parse(asked.q)
    if asked.q and not wording:
        return ReusePage([], 1, 1, 0)
    there = project_exists(OutputIndexEntry, projects.is_listed_for(reader))
    entries = EntrySelector(session, OutputIndexEntry, OUTPUTS, (there,))
    whole, order = _full_query(asked, wording, reader), _order_by(asked)
    is_indexed = bool(whole.all_of)
    found = (
        entries.newest(whole, MAX_RESULTS + 1)
        if is_indexed
        else entries.ordered(order, 0, MAX_RESULTS + 1)
    )
    pages = max(1, -(-min(len(found), MAX_RESULTS) // PAGE_SIZE))
    number = min(max(1, number), pages)
    start = (number - 1) * PAGE_SIZE
    most = min(PAGE_SIZE, MAX_RESULTS - start)
    if asked.order == "relevance" and wording.required and found:
        better = replace(whole, all_of=(*wording.title_alternatives(), *_label_alternatives(asked)))
        ids = merge_best_first(entries.newest(better, start + most), found)[start : start + most]
    elif asked.order in INDEX_SORTED and is_indexed and found:
        ids = list(entries.matching_in_order(whole, found, order, start, most, MAX_RESULTS))
    else:
        ids = list(found[start : start + most])
    return ReusePage(_load_outputs(session, ids), number, pages, len(found))


def _full_query(asked: ReuseQuery, wording: query_syntax.ParsedQuery, reader: Viewer) -> IndexQuery:
    text = wording.to_query()
    return build_query((*text.all_of, *_label_alternatives(asked)), text.none_of, reader)


def _label_alternatives(asked: ReuseQuery) -> tuple[query_syntax.Alternatives, ...]:
    kinds = ("licence", asked.licence), ("adopted", asked.adopted)
    return tuple(exactly(label(kind, value)) for kind, value in kinds if value)


def _order_by(asked: ReuseQuery) -> OrderBy:
    if asked.order == "adopters":
        return OutputIndexEntry.adopters.desc(), OutputIndexEntry.id.desc()
    if asked.order == "title":
        return OutputIndexEntry.title, OutputIndexEntry.id
    return (OutputIndexEntry.id.desc(),)


def _load_outputs(session: Session, ids: Sequence[int]) -> list[ReusableOutput]:
    """The outputs as their projects have them now."""
    there = select(Project).join(OutputIndexEntry, OutputIndexEntry.project_id == Project.id)
    there = there.where(OutputIndexEntry.id.in_(ids))
    query = projects.load_councils(there).add_columns(OutputIndexEntry.id, OutputIndexEntry.token)
    found = {row.id: row for row in session.execute(query)}
    offers = []
    for number in ids:
        project, token = found[number].Project, found[number].token
        said = (each for each in project.outputs if each.token == token)
        output = next(said, None)
        if output is not None:
            offers.append(ReusableOutput(output, project))
    return offers
