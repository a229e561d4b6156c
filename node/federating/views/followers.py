"""The followers of our councils at the server that asks, for it alone (FEP-8fcf)."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from federation.acceptance import identify
from federation.errors import Refusal
from federation.origin import host_of
from federation.signatures import claimed_host
from federation.vocabulary import Collection
from node.db import now
from node.errors import NotFoundError
from node.federating import actors, follower_sync, inbox
from node.federating.keystore import KeyStore, policy
from node.federating.views.asking import as_signed
from node.request import PUBLIC, activity_response, current_node, current_work, permission
from node.wording import say

blueprint = Blueprint("followers", __name__)


@blueprint.get("/councils/<slug>/followers_synchronization")
@permission(PUBLIC)
def synchronization(slug: str) -> ResponseReturnValue:
    """Who of the server that asks follows the council, as far as we know. The server has to prove
    which one it is; what others follow is no concern of it.
    """
    current_work().pause()
    host = _who_asks()
    session = current_work().session
    actor = actors.local_by_username(session, slug)
    if actor is None or not actor.followers:
        raise NotFoundError(say("There is no such council here."))
    listed = tuple(follower_sync.partial(session, actor, host))
    uri = follower_sync.address(actor)
    answer = activity_response(Collection(id=uri, total_items=len(listed), items=listed).dump())
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _who_asks() -> str:
    """The host that signed the request. Raises `Refusal`, which has been counted."""
    node, signed = current_node(), as_signed()

    try:
        return host_of(identify(signed, policy(node), KeyStore(node), now()).owner)
    except Refusal as refusal:
        inbox.refuse(node, claimed_host(signed), refusal)
        raise
