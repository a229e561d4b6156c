"""The followers of our councils on the requesting server, shown to that server only (FEP-8fcf)."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from federation.acceptance import identify_signer
from federation.errors import Refusal
from federation.origin import host_of
from federation.signatures import claimed_host
from federation.vocabulary import Collection
from node.database.tables import now
from node.errors import NotFoundError
from node.federating.identity import actors
from node.federating.inbound import inbox
from node.federating.inbound.keystore import FetchingKeyStore, build_policy
from node.federating.outbound import follower_digests
from node.federating.views.current_viewer import current_signed_request
from node.messages import msg
from node.request import PUBLIC, activity_response, current_node, current_work, permission

blueprint = Blueprint("followers", __name__)


@blueprint.get("/councils/<slug>/followers_synchronization")
@permission(PUBLIC)
def synchronization(slug: str) -> ResponseReturnValue:
    """The followers of the council on the requesting server, which must prove its identity since it
    may not see those on other servers.
    """
    current_work().pause()
    host = _verified_host()
    session = current_work().session
    actor = actors.local_by_username(session, slug)
    if actor is None or not actor.followers:
        raise NotFoundError(msg("Council not found."))
    follower_uris = tuple(follower_digests.followers_on_host(session, actor, host))
    uri = follower_digests.collection_url(actor)
    response = activity_response(
        Collection(id=uri, total_items=len(follower_uris), items=follower_uris).dump()
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _verified_host() -> str:
    """The host that signed the request. Raises `Refusal`, which has been counted."""
    node, signed = current_node(), current_signed_request()

    try:
        return host_of(
            identify_signer(signed, build_policy(node), FetchingKeyStore(node), now()).owner
        )
    except Refusal as refusal:
        inbox.refuse(node, claimed_host(signed), refusal)
        raise
