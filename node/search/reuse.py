"""The reuse catalogue: search for the outputs of projects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from node.access.viewer import Viewer
from node.pagination import Page, page_of_slices
from node.projects import service as projects
from node.projects import visibility as project_visibility
from node.projects.details import Output
from node.projects.models import Project
from node.search import query_syntax
from node.search.entry_selection import EntrySelector, OrderBy, project_exists
from node.search.fulltext import OUTPUTS
from node.search.index_documents import LICENCE_PATTERNS, label
from node.search.models import OutputIndexEntry
from node.search.query_syntax import IndexQuery, has_label
from node.search.service import MAX_RESULTS, PAGE_SIZE, build_query, prepend_best

SORTS_IN_INDEX = ("adopters", "title")
SORTS = ("relevance", "adopters", "updated", "title")
LICENCE_FAMILIES = (*LICENCE_PATTERNS, "other", "none")


@dataclass(frozen=True)
class ReuseQuery:
    """Search parameters of the reuse catalogue. The empty query finds every output."""

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
    """An output and its project."""

    output: Output
    project: Project


def parse_reuse_query(args: Mapping[str, str]) -> ReuseQuery:
    """The query that a query string describes. Invalid values are ignored."""
    q = " ".join(args.get("q", "").replace("\0", " ").split())[: query_syntax.MAX_LEN_QUERY]
    licence, sort = args.get("licence", ""), args.get("sort", "")
    return ReuseQuery(
        q,
        licence if licence in LICENCE_FAMILIES else "",
        "yes" if args.get("adopted") == "yes" else "",
        sort if sort in SORTS else "",
    )


def find_outputs(
    session: Session, reuse_query: ReuseQuery, viewer: Viewer, number: int = 1
) -> Page[ReusableOutput]:
    """Page `number` of the outputs that match, in projects that the viewer may see. A total of
    `MAX_RESULTS` + 1 means "more than `MAX_RESULTS`".
    """
    parsed = query_syntax.parse(reuse_query.q)
    if reuse_query.q and not parsed:
        return Page((), page_count=1, total=0)
    is_visible = project_exists(OutputIndexEntry, project_visibility.is_listed_for(viewer))
    entries = EntrySelector(session, OutputIndexEntry, OUTPUTS, (is_visible,))
    query, order = _full_query(reuse_query, parsed, viewer), _order_by(reuse_query)
    is_indexed = bool(query.all_of)
    first_ids = (
        entries.newest(query, MAX_RESULTS + 1)
        if is_indexed
        else entries.ordered(order, 0, MAX_RESULTS + 1)
    )

    def page_ids(start: int, limit: int) -> Sequence[int]:
        if reuse_query.order == "relevance" and parsed.required and first_ids:
            in_title = (*parsed.title_alternatives(), *_label_alternatives(reuse_query))
            best = entries.newest(replace(query, all_of=in_title), start + limit)
            return prepend_best(best, first_ids)[start : start + limit]
        if reuse_query.order in SORTS_IN_INDEX and is_indexed and first_ids:
            return entries.matching_in_order(query, first_ids, order, start, limit, MAX_RESULTS)
        return first_ids[start : start + limit]

    page = page_of_slices(len(first_ids), number, PAGE_SIZE, page_ids, MAX_RESULTS)
    return page.with_rows(_load_outputs(session, page.rows))


def _full_query(
    reuse_query: ReuseQuery, parsed: query_syntax.ParsedQuery, viewer: Viewer
) -> IndexQuery:
    text = parsed.to_query()
    return build_query((*text.all_of, *_label_alternatives(reuse_query)), text.none_of, viewer)


def _label_alternatives(reuse_query: ReuseQuery) -> tuple[query_syntax.Alternatives, ...]:
    kinds = ("licence", reuse_query.licence), ("adopted", reuse_query.adopted)
    return tuple(has_label(label(kind, value)) for kind, value in kinds if value)


def _order_by(reuse_query: ReuseQuery) -> OrderBy:
    if reuse_query.order == "adopters":
        return OutputIndexEntry.adopters.desc(), OutputIndexEntry.id.desc()
    if reuse_query.order == "title":
        return OutputIndexEntry.title, OutputIndexEntry.id
    return (OutputIndexEntry.id.desc(),)


def _load_outputs(session: Session, ids: Sequence[int]) -> list[ReusableOutput]:
    """The outputs of these entries as their projects have them now, in the order of `ids`."""
    query = select(Project).join(OutputIndexEntry, OutputIndexEntry.project_id == Project.id)
    query = projects.eager_load_councils(query.where(OutputIndexEntry.id.in_(ids)))
    query = query.add_columns(OutputIndexEntry.id, OutputIndexEntry.token)
    rows = {row.id: row for row in session.execute(query)}
    offers = []
    for entry_id in ids:
        project, token = rows[entry_id].Project, rows[entry_id].token
        # The project may have changed since it was indexed.
        output = next((output for output in project.outputs if output.token == token), None)
        if output is not None:
            offers.append(ReusableOutput(output, project))
    return offers
