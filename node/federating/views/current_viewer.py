"""Who makes the current request, as far as what may be read depends on it."""

from collections.abc import Callable
from typing import TypeVar

from flask import Response, after_this_request, g, request

from federation.errors import Refusal
from federation.signatures import SignedRequest
from node.errors import NotFoundError
from node.federating.viewer import (
    ANONYMOUS,
    SIGNATURE_HEADERS,
    Viewer,
    identify_viewer,
    is_signed,
    refuse_blocked_host,
    viewer_with_roles,
)
from node.federating.wsgi import signed_request
from node.people.permissions import current_roles, is_signed_in
from node.request import current_node, current_work, is_server_request

ResultT = TypeVar("ResultT")


def current_signed_request() -> SignedRequest:
    """The current request, as signatures speak of it."""
    return signed_request(current_node().settings, request.environ)


def current_viewer() -> Viewer:
    """Who reads: asked at the beginning of a view, before anything is looked up for it.

    A peer whose signature cannot be verified reads what everybody may; where that is nothing, the
    answer says what is wrong with the signature (`unproven`). The answer says that it depends on
    who asks. Raises `Refusal` for a blocked server.
    """
    if "reader" not in g:
        after_this_request(_vary_by_viewer)
        g.reader, g.unproven = _identify()
    reader: Viewer = g.reader
    return reader


def verified_viewer() -> Viewer:
    """As `current_reader`, for lists by which peers tell what is not there any more: one who is due
    more than everybody would take the shorter list for the whole one.

    Raises `Refusal` also for a peer whose signature cannot be verified.
    """
    reader, refusal = current_viewer(), signature_refusal()
    if refusal is not None:
        raise refusal
    return reader


def find_public_first(find: Callable[[Viewer], ResultT]) -> ResultT:
    """What `find` finds for everybody; where it raises `NotFoundError`, what it finds for whoever
    asks.

    For names and actors, which others need before they can believe us: what is public waits for
    nobody's key.
    """
    try:
        return find(ANONYMOUS)
    except NotFoundError:
        return find(current_viewer())


def refuse_blocked_servers() -> None:
    """For what everybody else may read. Raises `Refusal` for a blocked server."""
    signed = current_signed_request()
    if is_signed(signed):
        refuse_blocked_host(current_node(), signed)


def signature_refusal() -> Refusal | None:
    """Why the signature of the current request was not believed; None where it was, or where nobody
    had to know.
    """
    refusal: Refusal | None = g.get("unproven")
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
    if g.get("reader", ANONYMOUS) != ANONYMOUS:
        response.headers.setdefault("Cache-Control", "private, no-store")
    return response
