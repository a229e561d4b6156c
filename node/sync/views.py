"""What other nodes read of our catalogue, and compare with what they hold, as far as they may see:
all of it in pages, and its digest.

The entity tag of the digest document is the digest itself, so whoever holds the same asks with it
and gets no document at all.
"""

from collections.abc import Iterable, Iterator

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from federation.digest import (
    BUCKETS,
    TYPES_HEADER,
    BucketDocument,
    CouncilDigest,
    TypeDigest,
    dump_types,
    type_digest_uri,
)
from federation.vocabulary import Article, Collection, CollectionPage, Note
from node.councils import service as councils
from node.councils.models import Council
from node.errors import NotFoundError
from node.federating import follower_sync
from node.federating.outbox import PEERS
from node.federating.viewer import Viewer
from node.federating.views.current_viewer import verified_viewer
from node.messages import msg
from node.plugin_documents import service as documents
from node.plugin_documents.federate import to_document
from node.plugin_documents.models import PluginDocument
from node.plugin_documents.views import disclose as give_documents
from node.projects import service as projects
from node.projects.disclosure import disclose, record_collection_read
from node.projects.federate import to_article
from node.projects.licensing import licence_url
from node.projects.models import Project, Visibility
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

# A page has at most so many documents, and these are at most so long: readers take 1 MiB.
MAX_PAGE_ITEMS = 500
MAX_PAGE_BYTES = 1_000_000
# Read from the database at once.
BATCH_SIZE = 50

Row = Project | Update | PluginDocument


@blueprint.get("/councils/<slug>/projects")
@permission(PUBLIC)
def collection(slug: str) -> ResponseReturnValue:
    """All of our projects that another server may read, oldest first, and after them their updates
    and the documents of plugins, in pages.
    """
    if not wants_activity():
        return redirect(url_for("pages.own_council", slug=slug))
    reader, session = verified_viewer(), current_work().session
    council = councils.by_slug(session, slug)
    if council is None or not council.actor.projects:
        raise NotFoundError(msg("There is no such council here."))
    uri, place = council.actor.projects, _page_start()
    if place is None:
        total = sum(room.count_documents(session, council, reader) for _, room in PARTS)
        return activity_response(
            Collection(id=uri, total_items=total, first=f"{uri}?after=0").dump()
        )
    given, items, is_last = _fill_page(_iter_rows(council, reader, *place))
    page = CollectionPage(
        id=f"{uri}?{place[0]}={place[1]}",
        part_of=uri,
        next=None if is_last else f"{uri}?{_part_name(given[-1])}={given[-1].id}",
    )
    _disclose(given, reader)
    if is_last:
        record_collection_read(uri, reader)
    return activity_response(_dump_page(page, items))


# The parts of the collection in their order, by the name that says after which of their rows a page
# begins.
PARTS = (("after", projects), ("update", updates), ("document", documents))


def _page_start() -> tuple[str, int] | None:
    """Where the page that is asked for begins: in the last part that is named."""
    for name, _room in reversed(PARTS):
        after = request.args.get(name, type=parse_row_id)
        if after is not None:
            return name, after
    return None


def _iter_rows(council: Council, reader: Viewer, begin: str, after: int) -> Iterator[Row]:
    """From there on, part after part, read a few at a time: a page has no room for more than it
    has.
    """
    session, parts = current_work().session, [name for name, _ in PARTS]
    for name, room in PARTS[parts.index(begin) :]:
        last = after if name == begin else 0
        while more := room.documents_after(session, council, reader, last, BATCH_SIZE):
            yield from more
            last = more[-1].id


def _part_name(row: Row) -> str:
    if isinstance(row, PluginDocument):
        return "document"
    return "after" if isinstance(row, Project) else "update"


def _disclose(given: list[Row], reader: Viewer) -> None:
    about = [row for row in given if not isinstance(row, PluginDocument)]
    disclose(((row.uri, row if isinstance(row, Project) else row.project) for row in about), reader)
    give_documents([row for row in given if isinstance(row, PluginDocument)], reader)


def _dump_document(row: Row) -> bytes:
    if isinstance(row, PluginDocument):
        return json_bytes(to_document(row, context=False))
    settings = current_work().settings
    if isinstance(row, Project):
        made: Article | Note = to_article(row, licence_url(settings, row))
    else:
        made = to_note(row, licence_url(settings, row.project))
    return json_bytes(made.dump(context=False))


def _fill_page(rows: Iterable[Row]) -> tuple[list[Row], list[bytes], bool]:
    """The first of `rows` and their documents, so many as fit on a page, one at least; and whether
    these are all.
    """
    given: list[Row] = []
    items: list[bytes] = []
    length = 0
    for row in rows:
        document = _dump_document(row)
        length += len(document)
        if items and (length > MAX_PAGE_BYTES or len(items) == MAX_PAGE_ITEMS):
            return given, items, False
        given.append(row)
        items.append(document)
    return given, items, True


def _dump_page(page: CollectionPage, items: list[bytes]) -> bytes:
    """The document of a page whose items were written already, to see how many fit."""
    beginning = json_bytes(page.dump() | {"orderedItems": []})
    return beginning.removesuffix(b"]}") + b", ".join(items) + b"]}"


@blueprint.get("/councils/<slug>/projects/digest")
@permission(PUBLIC)
def digest(slug: str) -> ResponseReturnValue:
    """How many projects and updates there are, and their digest, of all and of each bucket.

    What there is of plugins' documents is told in a header, whether or not anything else changed. A
    server that proves who it is hears besides which followers of ours we know there (FEP-8fcf).
    """
    reader, session = verified_viewer(), current_work().session
    council, uri = _get_council_and_digest_uri(slug)
    buckets = digests.get_buckets(current_node(), council.id, _audience(reader))
    document = CouncilDigest(uri, council.actor.uri, buckets)
    answer = activity_response(document.dump())
    if reader.host:
        answer.headers.update(follower_sync.build_header(session, council.actor, reader.host))
    held = documents.revisions_by_type(session, council, reader)
    types = {kind: plugin_documents.combine_entries(entries) for kind, entries in held.items()}
    answer.headers[TYPES_HEADER] = dump_types({kind: one for kind, one in types.items() if one})
    answer.set_etag(document.digest)
    return answer.make_conditional(request)


@blueprint.get("/councils/<slug>/projects/digest/<int:number>")
@permission(PUBLIC)
def bucket(slug: str, number: int) -> ResponseReturnValue:
    """What is in one bucket: id and revision of each."""
    reader, session = verified_viewer(), current_work().session
    council, uri = _get_council_and_digest_uri(slug)
    if number >= BUCKETS:
        raise NotFoundError(msg("There is no such part of the digest."))
    entries = digests.list_entries(session, council.id, number, _audience(reader))
    return activity_response(BucketDocument(f"{uri}/{number}", uri, number, entries).dump())


@blueprint.get("/councils/<slug>/projects/digest/documents/<kind>")
@permission(PUBLIC)
def documents_digest(slug: str, kind: str) -> ResponseReturnValue:
    """What there is of one type of plugins' documents: id and revision of each."""
    council, uri = _get_council_and_digest_uri(slug)
    if not (kind.isascii() and kind.isidentifier()):
        raise NotFoundError(msg("There is no such part of the digest."))
    held = documents.revisions_by_type(current_work().session, council, verified_viewer())
    return activity_response(TypeDigest(type_digest_uri(uri, kind), uri, held.get(kind, {})).dump())


def _get_council_and_digest_uri(slug: str) -> tuple[Council, str]:
    """A council of ours, and where its digest is."""
    council = councils.by_slug(current_work().session, slug)
    if council is None or not council.actor.digest:
        raise NotFoundError(msg("There is no such council here."))
    return council, council.actor.digest


def _audience(reader: Viewer) -> Visibility:
    return Visibility.peers if PEERS in reader.audiences else Visibility.public
