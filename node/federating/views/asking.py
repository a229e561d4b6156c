"""Who makes the current request, as far as what may be read depends on it."""

from flask import Response, after_this_request, g, request

from federation.signatures import SignedRequest
from node.federating.readers import (
    ANYBODY,
    OUR_OWN,
    SIGNATURE_HEADERS,
    Reader,
    is_signed,
    who_asks,
)
from node.federating.wsgi import signed_request
from node.people.permissions import is_signed_in
from node.request import current_node, current_work, is_for_servers


def as_signed() -> SignedRequest:
    """The current request, as signatures speak of it."""
    return signed_request(current_node().settings, request.environ)


def current_reader() -> Reader:
    """Who reads: asked at the beginning of a view, before anything is looked up for it.

    The answer then says that it depends on who asks. Raises `Refusal`: see `who_asks`.
    """
    if "reader" not in g:
        after_this_request(_depends_on_reader)
        g.reader = _reader()
    reader: Reader = g.reader
    return reader


def _reader() -> Reader:
    signed = as_signed()
    if is_signed(signed):
        current_work().pause()
        return who_asks(current_node(), signed)
    return OUR_OWN if not is_for_servers() and is_signed_in() else ANYBODY


def _depends_on_reader(response: Response) -> Response:
    response.vary.update(SIGNATURE_HEADERS)
    if g.get("reader", ANYBODY) != ANYBODY:
        response.headers.setdefault("Cache-Control", "private, no-store")
    return response
