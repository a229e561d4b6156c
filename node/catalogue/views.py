"""What other nodes read of our catalogue, and compare with what they hold, as far as they may see:
all of it in pages, and its digest.

The entity tag of the digest document is the digest itself, so whoever holds the same asks with it
and gets no document at all.
"""

import json

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from federation.digest import BUCKETS, Bucket, CouncilDigest
from federation.reading import Document
from federation.vocabulary import Collection, CollectionPage
from node.catalogue import digests
from node.councils import service as councils
from node.councils.models import Council
from node.errors import NotFoundError
from node.federating import follower_sync
from node.federating.publishing import PEERS
from node.federating.readers import Reader
from node.federating.views.asking import current_reader
from node.projects import service as projects
from node.projects.federate import to_article
from node.projects.giving import give
from node.projects.models import Project, Visibility
from node.request import (
    PUBLIC,
    activity_response,
    current_node,
    current_work,
    permission,
    row_id,
    wants_activity,
)
from node.updates import service as updates
from node.updates.federate import to_note
from node.updates.models import Update
from node.wording import say

blueprint = Blueprint("catalogue", __name__)

# A page has at most so many documents, and these are at most so long: readers take 1 MiB.
PAGE = 500
PAGE_BYTES = 1_000_000


@blueprint.get("/councils/<slug>/projects")
@permission(PUBLIC)
def collection(slug: str) -> ResponseReturnValue:
    """All of our projects that another server may read, oldest first, and after them their updates,
    in pages.
    """
    if not wants_activity():
        return redirect(url_for("pages.own_council", slug=slug))
    reader, session = current_reader(), current_work().session
    council = councils.by_slug(session, slug)
    if council is None or not council.actor.projects:
        raise NotFoundError(say("There is no such council here."))
    uri, after = council.actor.projects, request.args.get("after", type=row_id)
    after_update = request.args.get("update", type=row_id)
    if after is None and after_update is None:
        total = sum(room.count_documents(session, council, reader) for room in (projects, updates))
        return activity_response(
            Collection(id=uri, total_items=total, first=f"{uri}?after=0").dump()
        )
    rows: list[Project | Update] = []
    if after_update is None:
        rows += projects.documents_after(session, council, reader, after or 0, PAGE)
    left = PAGE - len(rows)
    if left:
        rows += updates.documents_after(session, council, reader, after_update or 0, left)
    items = _as_many_as_fit(rows)
    is_last = len(items) == len(rows) < PAGE
    page = CollectionPage(
        id=f"{uri}{_place(after, after_update)}",
        part_of=uri,
        items=items,
        next=None if is_last else f"{uri}{_place_of(rows[len(items) - 1])}",
    )
    given = rows[: len(items)]
    give(((row.uri, row if isinstance(row, Project) else row.project) for row in given), reader)
    return activity_response(page.dump())


def _place(after: int | None, after_update: int | None) -> str:
    return f"?after={after or 0}" if after_update is None else f"?update={after_update}"


def _place_of(row: Project | Update) -> str:
    return f"?after={row.id}" if isinstance(row, Project) else f"?update={row.id}"


def _as_many_as_fit(rows: list[Project | Update]) -> tuple[Document, ...]:
    """The documents of the first of `rows`, so many as fit on a page; one at least."""
    items: list[Document] = []
    length = 0
    for row in rows:
        made = to_article(row) if isinstance(row, Project) else to_note(row)
        document = made.dump(context=False)
        length += len(json.dumps(document, ensure_ascii=False).encode())
        if length > PAGE_BYTES and items:
            break
        items.append(document)
    return tuple(items)


@blueprint.get("/councils/<slug>/projects/digest")
@permission(PUBLIC)
def digest(slug: str) -> ResponseReturnValue:
    """How many projects and updates there are, and their digest, of all and of each bucket.

    A server that proves who it is hears besides which followers of ours we know there (FEP-8fcf).
    """
    reader, session = current_reader(), current_work().session
    council, uri = _council(slug)
    buckets = digests.buckets(current_node(), council.id, _audience(reader))
    document = CouncilDigest(uri, council.actor.uri, buckets)
    answer = activity_response(document.dump())
    if reader.host:
        answer.headers.update(follower_sync.header_for(session, council.actor, reader.host))
    answer.set_etag(document.digest)
    return answer.make_conditional(request)


@blueprint.get("/councils/<slug>/projects/digest/<int:number>")
@permission(PUBLIC)
def bucket(slug: str, number: int) -> ResponseReturnValue:
    """What is in one bucket: id and revision of each."""
    reader, session = current_reader(), current_work().session
    council, uri = _council(slug)
    if number >= BUCKETS:
        raise NotFoundError(say("There is no such part of the digest."))
    entries = digests.entries(session, council.id, number, _audience(reader))
    return activity_response(Bucket(f"{uri}/{number}", uri, number, entries).dump())


def _council(slug: str) -> tuple[Council, str]:
    """A council of ours, and where its digest is."""
    council = councils.by_slug(current_work().session, slug)
    if council is None or not council.actor.digest:
        raise NotFoundError(say("There is no such council here."))
    return council, council.actor.digest


def _audience(reader: Reader) -> Visibility:
    return Visibility.peers if PEERS in reader.audiences else Visibility.public
