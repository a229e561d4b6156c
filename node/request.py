"""The current web request: its node, its unit of work, what it may do, what it wants back."""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar, cast

from flask import Response, after_this_request, current_app, g, request
from flask_security import current_user
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from node.db import db
from node.runtime import Document, Node, UnitOfWork

EXTENSION_KEY = "moothall"
PUBLIC = "public"
ACTIVITY_TYPES = ("application/activity+json", "application/ld+json")
MAX_LEN_ACCEPT = 1_000
# What the databases count rows with: 32 bits and a sign.
MAX_ROW_ID = 2**31 - 1

View = TypeVar("View", bound=Callable[..., Any])


def permission(name: str) -> Callable[[View], View]:
    """Mark a view with the permission it needs; `PUBLIC` for none.

    A view without the mark is not registered.
    """

    def mark(view: View) -> View:
        cast("Any", view).permission = name
        return view

    return mark


def current_node() -> Node:
    return cast("Node", current_app.extensions[EXTENSION_KEY])


def current_work() -> UnitOfWork:
    """The unit of work of this request, begun on first use and committed after the response is
    made.
    """
    if "work" not in g:
        is_known = not is_server_request() and current_user.is_authenticated
        by = current_user.email if is_known else "anonymous"
        g.work = UnitOfWork(current_node(), db.session(), by)
    return cast("UnitOfWork", g.work)


def parse_row_id(text: str) -> int:
    """A row's number in a query string. Raises `ValueError` for what cannot be one."""
    number = int(text)
    if not 0 <= number <= MAX_ROW_ID:
        raise ValueError(text)
    return number


def keeps_text(view: View) -> View:
    """Mark a view that a form is sent to, a `BaseForm`, in which people write: what is typed in it
    and not saved is kept (`node.unsaved`).
    """
    cast("Any", view).keeps_text = True
    return view


def read_only(view: View) -> View:
    """Mark a view that a form is sent to and that writes nothing itself, but for units of work of
    its own: nobody waits for it while it reads what was sent, and shows it.
    """
    cast("Any", view).only_reads = True
    return view


def for_servers(view: View) -> View:
    """Mark a view that other servers alone ask, and no person."""
    cast("Any", view).for_servers = True
    return view


def is_server_request() -> bool:
    """Whether another server makes this request: by the view it asks, or by what it wants back.

    Whoever sends a cookie is a browser.
    """
    known: bool | None = g.get("is_for_servers")
    if known is None:
        view = current_app.view_functions.get(request.endpoint or "")
        known = g.is_for_servers = hasattr(view, "for_servers") or (
            request.method in {"GET", "HEAD"}
            and "Cookie" not in request.headers
            and _prefers_activity(_accept_header())
        )
    return known


def wants_activity() -> bool:
    """Whether the caller asks for ActivityPub rather than a page. A browser never does.

    The answer then says `Vary: Accept`, whichever it is.
    """
    after_this_request(_vary_on_accept)
    return _prefers_activity(_accept_header())


def _accept_header() -> str:
    """What the caller accepts, as far as anybody says who means it: what is remembered of it is
    not to grow.
    """
    return request.headers.get("Accept", "")[:MAX_LEN_ACCEPT]


@lru_cache(maxsize=256)
def _prefers_activity(accept: str) -> bool:
    quality = {"page": 0.0, "activity": 0.0}
    for kind, q in parse_accept_header(accept, MIMEAccept):
        base = kind.partition(";")[0].strip().lower()
        key = "activity" if base in ACTIVITY_TYPES else "page"
        quality[key] = max(quality[key], q)
    return quality["activity"] > 0 and quality["activity"] >= quality["page"]


def cached_json(name: str, describe: Callable[[], Document]) -> bytes:
    """The JSON of a public document that many ask for: described anew when this process changed
    anything, and each second, since another process may have.
    """
    documents = current_node().document_cache
    return documents.get(name) or documents.put(name, json_bytes(describe()))


def json_bytes(document: Document) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def activity_response(document: Document | bytes, status: int = 200) -> Response:
    """An ActivityPub document as an answer."""
    body = document if isinstance(document, bytes) else json_bytes(document)
    return _vary_on_accept(Response(body, status=status, content_type=ACTIVITY_TYPES[0]))


def _vary_on_accept(response: Response) -> Response:
    if "Vary" in response.headers:
        response.vary.add("Accept")
    else:
        response.headers["Vary"] = "Accept"
    return response
