"""The viewer of the current request, and the signature that identifies it."""

from collections.abc import Callable
from typing import TypeVar

from flask import Response, after_this_request, g, request

from federation.errors import Refusal
from federation.signatures import SignedRequest
from node.access.permissions import current_roles, is_signed_in
from node.access.viewer import ANONYMOUS, Viewer, viewer_with_roles
from node.errors import NotFoundError
from node.federating.inbound.request_signers import (
    SIGNATURE_HEADERS,
    identify_viewer,
    is_signed,
    refuse_blocked_host,
)
from node.federating.inbound.wsgi import build_signed_request
from node.request import current_node, current_work, is_server_request

ResultT = TypeVar("ResultT")


def current_signed_request() -> SignedRequest:
    """The current request in the form that signatures cover."""
    return build_signed_request(current_node().settings, request.environ)


def current_viewer() -> Viewer:
    """The viewer of the current request. Call it at the start of a view, before other queries.

    A peer whose signature cannot be verified reads as anonymous; if it can see nothing then, the
    response says what is wrong with the signature (`signature_refusal`). The response varies by
    viewer. Raises `Refusal` for a blocked server.
    """
    if "viewer" not in g:
        after_this_request(_vary_by_viewer)
        g.viewer, g.signature_refusal = _identify()
    viewer: Viewer = g.viewer
    return viewer


def verified_viewer() -> Viewer:
    """As `current_viewer`, for complete lists, by which peers find out what was removed: a peer
    read as anonymous would take the shorter list for the complete one.

    Raises `Refusal` also for a peer whose signature cannot be verified.
    """
    viewer, refusal = current_viewer(), signature_refusal()
    if refusal is not None:
        raise refusal
    return viewer


def find_public_first(find: Callable[[Viewer], ResultT]) -> ResultT:
    """The result of `find` for an anonymous viewer; if that raises `NotFoundError`, for the current
    one.

    For names and actors, which other servers need before they can verify us: public ones are found
    without fetching a key.
    """
    try:
        return find(ANONYMOUS)
    except NotFoundError:
        return find(current_viewer())


def refuse_blocked_servers() -> None:
    """For public content. Raises `Refusal` for a blocked server."""
    signed = current_signed_request()
    if is_signed(signed):
        refuse_blocked_host(current_node(), signed)


def signature_refusal() -> Refusal | None:
    """Why the signature of the current request was refused; None if it was valid or not checked."""
    refusal: Refusal | None = g.get("signature_refusal")
    return refusal


def _identify() -> tuple[Viewer, Refusal | None]:
    node, signed = current_node(), current_signed_request()
    if not is_signed(signed):
        if is_server_request() or not is_signed_in():
            return ANONYMOUS, None
        return viewer_with_roles(current_roles(), node.hooks), None
    current_work().pause()
    refuse_blocked_host(node, signed)
    try:
        return identify_viewer(node, signed), None
    except Refusal as refusal:
        return ANONYMOUS, refusal


def _vary_by_viewer(response: Response) -> Response:
    response.vary.update(SIGNATURE_HEADERS)
    if g.get("viewer", ANONYMOUS) != ANONYMOUS:
        response.headers.setdefault("Cache-Control", "private, no-store")
    return response
