"""The inbox: what others send."""

from http import HTTPStatus

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from federation.errors import Reason, Refusal
from federation.signatures import SignedRequest, claimed_host
from node.federating import inbox
from node.federating.views.asking import as_signed
from node.request import PUBLIC, current_node, for_servers, permission

blueprint = Blueprint("inbox", __name__)


@blueprint.post("/inbox")
@blueprint.post("/actor/inbox")
@blueprint.post("/councils/<_slug>/inbox")
@blueprint.post("/projects/<_slug>/group/inbox")
@blueprint.post("/officers/<_slug>/inbox")
@permission(PUBLIC)
@for_servers
def post(_slug: str = "") -> ResponseReturnValue:
    """One inbox behind every address: who it is for stands in the message."""
    inbox.receive(current_node(), _signed_request())
    return Response(status=HTTPStatus.ACCEPTED)


def _signed_request() -> SignedRequest:
    # One more than there may be: of a body of no stated length, the rest would be cut off unseen.
    request.max_content_length = inbox.MOST_BYTES + 1
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        refusal = Refusal(Reason.too_large)
        inbox.refuse(current_node(), claimed_host(as_signed()), refusal)
        raise refusal from None
    return as_signed(body)
