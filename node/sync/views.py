"""Endpoints by which other nodes read our published data and compare it with theirs, as far as they
may see it: the collection in pages, and its digests.

The entity tag of the digest document is the digest itself, so a node with equal data gets an empty
304 response.
"""

from collections.abc import Iterable, Iterator

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from federation.council_digest import (
    BUCKET_COUNT,
    TYPES_HEADER,
    BucketDocument,
    CouncilDigest,
    TypeDigest,
    dump_types,
    type_digest_uri,
)
from federation.vocabulary import Article, Collection, CollectionPage, Note
from node.access.viewer import Viewer
from node.councils import service as councils
from node.councils.models import Council
from node.errors import NotFoundError
from node.federating.outbound import follower_digests
from node.federating.views.current_viewer import verified_viewer
from node.messages import msg
from node.plugin_documents import service as documents
from node.plugin_documents.federate import to_document
from node.plugin_documents.models import PluginDocument
from node.plugin_documents.views import disclose as disclose_documents
from node.projects import service as projects
from node.projects.document_access import disclose, record_collection_read
from node.projects.federate import to_article
from node.projects.licensing import licence_url
from node.projects.models import Project
from node.request import (
    PUBLIC,
    activity_response,
    current_node,
    current_work,
    json_bytes,
    parse_row_id,
    permission,
    wants_activity,
)
from node.sync import digests, plugin_documents
from node.updates import service as updates
from node.updates.federate import to_note
from node.updates.models import Update

blueprint = Blueprint("catalogue", __name__)

# The limits of a page, in documents and bytes: readers accept 1 MiB.
MAX_PAGE_ITEMS = 500
MAX_PAGE_BYTES = 1_000_000
# Rows read from the database at a time.
BATCH_SIZE = 50

PublishedRow = Project | Update | PluginDocument


@blueprint.get("/councils/<slug>/projects")
@permission(PUBLIC)
def collection(slug: str) -> ResponseReturnValue:
    """All projects that the requesting server may read, oldest first, then their updates, then
    plugin documents, in pages.
    """
    if not wants_activity():
        return redirect(url_for("pages.own_council", slug=slug))
    viewer, session = verified_viewer(), current_work().session
    council = councils.by_slug(session, slug)
    if council is None or not council.actor.projects:
        raise NotFoundError(msg("Council not found."))
    uri, start = council.actor.projects, _parse_page_start()
    if start is None:
        total = sum(
            service.count_documents(session, council, viewer) for _, service in COLLECTION_PARTS
        )
        return activity_response(
            Collection(id=uri, total_items=total, first=f"{uri}?after=0").dump()
        )
    rows, items, is_last = _fill_page(_iter_rows(council, viewer, *start))
    page = CollectionPage(
        id=f"{uri}?{start[0]}={start[1]}",
        part_of=uri,
        next=None if is_last else f"{uri}?{_part_name(rows[-1])}={rows[-1].id}",
    )
    _disclose(rows, viewer)
    if is_last:
        record_collection_read(uri, viewer)
    return activity_response(_dump_page(page, items))


# The parts of the collection in order, by the query argument for the last row before a page.
COLLECTION_PARTS = (("after", projects), ("update", updates), ("document", documents))


def _parse_page_start() -> tuple[str, int] | None:
    """The part and row id after which the requested page starts; None without an argument."""
    for name, _service in reversed(COLLECTION_PARTS):
        after = request.args.get(name, type=parse_row_id)
        if after is not None:
            return name, after
    return None


def _iter_rows(
    council: Council, viewer: Viewer, first_part: str, after: int
) -> Iterator[PublishedRow]:
    """The rows from a start, part after part, read a few at a time since a page holds few."""
    session, parts = current_work().session, [name for name, _ in COLLECTION_PARTS]
    for name, service in COLLECTION_PARTS[parts.index(first_part) :]:
        last_id = after if name == first_part else 0
        while rows := service.documents_after(session, council, viewer, last_id, BATCH_SIZE):
            yield from rows
            last_id = rows[-1].id


def _part_name(row: PublishedRow) -> str:
    if isinstance(row, PluginDocument):
        return "document"
    return "after" if isinstance(row, Project) else "update"


def _disclose(rows: list[PublishedRow], viewer: Viewer) -> None:
    project_rows = [row for row in rows if not isinstance(row, PluginDocument)]
    disclose(
        ((row.uri, row if isinstance(row, Project) else row.project) for row in project_rows),
        viewer,
    )
    disclose_documents([row for row in rows if isinstance(row, PluginDocument)], viewer)


def _dump_document(row: PublishedRow) -> bytes:
    if isinstance(row, PluginDocument):
        return json_bytes(to_document(row, context=False))
    settings = current_work().settings
    if isinstance(row, Project):
        document: Article | Note = to_article(row, licence_url(settings, row))
    else:
        document = to_note(row, licence_url(settings, row.project))
    return json_bytes(document.dump(context=False))


def _fill_page(rows: Iterable[PublishedRow]) -> tuple[list[PublishedRow], list[bytes], bool]:
    """The first of `rows` and their documents, as many as fit on a page, at least one; and whether
    those are all.
    """
    page_rows: list[PublishedRow] = []
    items: list[bytes] = []
    length = 0
    for row in rows:
        document = _dump_document(row)
        length += len(document)
        if items and (length > MAX_PAGE_BYTES or len(items) == MAX_PAGE_ITEMS):
            return page_rows, items, False
        page_rows.append(row)
        items.append(document)
    return page_rows, items, True


def _dump_page(page: CollectionPage, items: list[bytes]) -> bytes:
    """The JSON of a page, from items that were serialised before to see how many fit."""
    envelope = json_bytes(page.dump() | {"orderedItems": []})
    return envelope.removesuffix(b"]}") + b", ".join(items) + b"]}"


@blueprint.get("/councils/<slug>/projects/digest")
@permission(PUBLIC)
def digest(slug: str) -> ResponseReturnValue:
    """The number of projects and updates, with their digest in total and per bucket.

    The digests of plugin documents are in a header, also on a 304 response. A server that proves
    its identity also gets the digest of its followers of the council (FEP-8fcf).
    """
    viewer, session = verified_viewer(), current_work().session
    council, uri = _get_council_and_digest_uri(slug)
    buckets = digests.get_buckets(current_node(), council.id, viewer.audience)
    document = CouncilDigest(uri, council.actor.uri, buckets)
    response = activity_response(document.dump())
    if viewer.host:
        response.headers.update(follower_digests.build_header(session, council.actor, viewer.host))
    revisions = documents.revisions_by_type(session, council, viewer)
    types = {kind: plugin_documents.combine_entries(entries) for kind, entries in revisions.items()}
    response.headers[TYPES_HEADER] = dump_types(
        {kind: type_digest for kind, type_digest in types.items() if type_digest}
    )
    response.set_etag(document.digest)
    return response.make_conditional(request)


@blueprint.get("/councils/<slug>/projects/digest/<int:number>")
@permission(PUBLIC)
def bucket(slug: str, number: int) -> ResponseReturnValue:
    """The revisions in one bucket, by id."""
    viewer, session = verified_viewer(), current_work().session
    council, uri = _get_council_and_digest_uri(slug)
    if number >= BUCKET_COUNT:
        raise NotFoundError(msg("Digest part not found."))
    entries = digests.list_entries(session, council.id, number, viewer.audience)
    return activity_response(BucketDocument(f"{uri}/{number}", uri, number, entries).dump())


@blueprint.get("/councils/<slug>/projects/digest/documents/<kind>")
@permission(PUBLIC)
def documents_digest(slug: str, kind: str) -> ResponseReturnValue:
    """The revisions of the plugin documents of one type, by id."""
    council, uri = _get_council_and_digest_uri(slug)
    if not (kind.isascii() and kind.isidentifier()):
        raise NotFoundError(msg("Digest part not found."))
    revisions = documents.revisions_by_type(current_work().session, council, verified_viewer())
    return activity_response(
        TypeDigest(type_digest_uri(uri, kind), uri, revisions.get(kind, {})).dump()
    )


def _get_council_and_digest_uri(slug: str) -> tuple[Council, str]:
    """A local council and its digest URL. Raises `NotFoundError`."""
    council = councils.by_slug(current_work().session, slug)
    if council is None or not council.actor.digest:
        raise NotFoundError(msg("Council not found."))
    return council, council.actor.digest
