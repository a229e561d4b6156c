"""What other nodes compare with what they hold: the digest of our projects, as far as they may see.

The entity tag of the digest document is the digest itself, so whoever holds the same asks with it
and gets no document at all.
"""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from federation.digest import BUCKETS, Bucket, CouncilDigest
from node.councils import service as councils
from node.councils.models import Council
from node.errors import NotFoundError
from node.federating import follower_sync
from node.federating.publishing import PEERS
from node.federating.readers import Reader
from node.federating.views.asking import current_reader
from node.projects import digests
from node.projects.models import Visibility
from node.request import PUBLIC, activity_response, current_node, current_work, permission

blueprint = Blueprint("digests", __name__)


@blueprint.get("/councils/<slug>/projects/digest")
@permission(PUBLIC)
def digest(slug: str) -> ResponseReturnValue:
    """How many projects there are, and their digest, of all and of each bucket.

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
    """The projects of one bucket: id and revision of each."""
    reader, session = current_reader(), current_work().session
    council, uri = _council(slug)
    if number >= BUCKETS:
        raise NotFoundError("There is no such part of the digest.")
    entries = digests.entries(session, council.id, number, _audience(reader))
    return activity_response(Bucket(f"{uri}/{number}", uri, number, entries).dump())


def _council(slug: str) -> tuple[Council, str]:
    """A council of ours, and where its digest is."""
    council = councils.by_slug(current_work().session, slug)
    if council is None or not council.actor.digest:
        raise NotFoundError("There is no such council here.")
    return council, council.actor.digest


def _audience(reader: Reader) -> Visibility:
    return Visibility.peers if PEERS in reader.audiences else Visibility.public
