"""Who makes the current request, as far as what may be read depends on it."""

from collections.abc import Callable
from typing import TypeVar

from flask import Response, after_this_request, g, request

from federation.errors import Refusal
from federation.signatures import SignedRequest
from node.errors import NotFoundError
from node.federating.readers import (
    ANYBODY,
    SIGNATURE_HEADERS,
    Reader,
    is_signed,
    person,
    refuse_blocked,
    who_asks,
)
from node.federating.wsgi import signed_request
from node.people.permissions import current_roles, is_signed_in
from node.request import current_node, current_work, is_for_servers

Found = TypeVar("Found")


def as_signed() -> SignedRequest:
    """The current request, as signatures speak of it."""
    return signed_request(current_node().settings, request.environ)


def current_reader() -> Reader:
    """Who reads: asked at the beginning of a view, before anything is looked up for it.

    A peer whose signature cannot be verified reads what everybody may; where that is nothing, the
    answer says what is wrong with the signature (`unproven`). The answer says that it depends on
    who asks. Raises `Refusal` for a blocked server.
    """
    if "reader" not in g:
        after_this_request(_depends_on_reader)
        g.reader, g.unproven = _reader()
    reader: Reader = g.reader
    return reader


def proven_reader() -> Reader:
    """As `current_reader`, for lists by which peers tell what is not there any more: one who is due
    more than everybody would take the shorter list for the whole one.

    Raises `Refusal` also for a peer whose signature cannot be verified.
    """
    reader, refusal = current_reader(), unproven()
    if refusal is not None:
        raise refusal
    return reader


def for_everybody_first(find: Callable[[Reader], Found]) -> Found:
    """What `find` finds for everybody; where it raises `NotFoundError`, what it finds for whoever
    asks.

    For names and actors, which others need before they can believe us: what is public waits for
    nobody's key.
    """
    try:
        return find(ANYBODY)
    except NotFoundError:
        return find(current_reader())


def refuse_blocked_readers() -> None:
    """For what everybody else may read. Raises `Refusal` for a blocked server."""
    signed = as_signed()
    if is_signed(signed):
        refuse_blocked(current_node(), signed)


def unproven() -> Refusal | None:
    """Why the signature of the current request was not believed; None where it was, or where nobody
    had to know.
    """
    refusal: Refusal | None = g.get("unproven")
    return refusal


def _reader() -> tuple[Reader, Refusal | None]:
    node, signed = current_node(), as_signed()
    if not is_signed(signed):
        if is_for_servers() or not is_signed_in():
            return ANYBODY, None
        return person(current_roles(), node.hooks), None
    current_work().pause()
    refuse_blocked(node, signed)
    try:
        return who_asks(node, signed), None
    except Refusal as refusal:
        return ANYBODY, refusal


def _depends_on_reader(response: Response) -> Response:
    response.vary.update(SIGNATURE_HEADERS)
    if g.get("reader", ANYBODY) != ANYBODY:
        response.headers.setdefault("Cache-Control", "private, no-store")
    return response
