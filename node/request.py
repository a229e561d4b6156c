"""The current web request: its node, its unit of work, its view's marks and content negotiation."""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar, cast

from flask import Response, after_this_request, current_app, g, request
from flask_security import current_user
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from node.database.tables import db
from node.principal import Principal, Via
from node.runtime import Document, Node, UnitOfWork

EXTENSION_KEY = "moothall"
PUBLIC = "public"
ACTIVITY_TYPES = ("application/activity+json", "application/ld+json")
MAX_LEN_ACCEPT = 1_000
# The largest signed 32-bit integer, as PostgreSQL's row ids are.
MAX_ROW_ID = 2**31 - 1

View = TypeVar("View", bound=Callable[..., Any])


def permission(name: str) -> Callable[[View], View]:
    """Declare the permission that a view needs; `PUBLIC` for none. The node refuses to register a
    view without a declaration.
    """

    def mark(view: View) -> View:
        cast("Any", view).permission = name
        return view

    return mark


def current_node() -> Node:
    return cast("Node", current_app.extensions[EXTENSION_KEY])


def current_work() -> UnitOfWork:
    """The unit of work of this request, created on first use. `node.web.request_lifecycle` commits
    it after the view has returned.
    """
    if "work" not in g:
        g.work = UnitOfWork(current_node(), db.session(), current_principal())
    return cast("UnitOfWork", g.work)


def current_principal() -> Principal:
    """The signed-in user; anonymous for all others, until a view has verified a token or a link."""
    if is_server_request() or not current_user.is_authenticated:
        return Principal.anonymous()
    principal: Principal = current_user.to_principal(Via.session)
    return principal


def parse_row_id(text: str) -> int:
    """Parse the id of a row. Raises `ValueError` if it cannot be one."""
    number = int(text)
    if not 0 <= number <= MAX_ROW_ID:
        raise ValueError(text)
    return number


def page_number() -> int:
    """The requested page of a list; 1 if none or no number was given."""
    return request.args.get("page", 1, type=int)


def keeps_input(view: View) -> View:
    """Mark a view that receives a `BaseForm` with text: what is typed but not saved is kept
    (`node.unsaved`).
    """
    cast("Any", view).keeps_input = True
    return view


def read_only(view: View) -> View:
    """Mark a POST view that writes only in units of work that it opens itself, so that the request
    takes no write lock.
    """
    cast("Any", view).only_reads = True
    return view


def for_servers(view: View) -> View:
    """Mark a view that only other servers request."""
    cast("Any", view).for_servers = True
    return view


def is_server_request() -> bool:
    """Whether another server makes this request: its view is marked `for_servers`, or it accepts
    ActivityPub and sends no cookie.
    """
    cached: bool | None = g.get("is_for_servers")
    if cached is None:
        view = current_app.view_functions.get(request.endpoint or "")
        cached = g.is_for_servers = hasattr(view, "for_servers") or (
            request.method in {"GET", "HEAD"}
            and "Cookie" not in request.headers
            and _prefers_activity(_accept_header())
        )
    return cached


def wants_activity() -> bool:
    """Whether the client prefers ActivityPub to HTML. Adds `Vary: Accept` to the response."""
    after_this_request(_vary_on_accept)
    return _prefers_activity(_accept_header())


def _accept_header() -> str:
    """The Accept header, cut to `MAX_LEN_ACCEPT`, since `_prefers_activity` caches it."""
    return request.headers.get("Accept", "")[:MAX_LEN_ACCEPT]


@lru_cache(maxsize=256)
def _prefers_activity(accept: str) -> bool:
    quality = {"page": 0.0, "activity": 0.0}
    for media_range, q in parse_accept_header(accept, MIMEAccept):
        media_type = media_range.partition(";")[0].strip().lower()
        key = "activity" if media_type in ACTIVITY_TYPES else "page"
        quality[key] = max(quality[key], q)
    return quality["activity"] > 0 and quality["activity"] >= quality["page"]


def cached_json(key: str, build: Callable[[], Document]) -> bytes:
    """The JSON of a public document that is requested often. Cached until this process changes a
    table that documents depend on, and for one second at most, since other processes write too.
    """
    cache = current_node().document_cache
    return cache.get(key) or cache.put(key, json_bytes(build()))


def json_bytes(document: Document) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def activity_response(document: Document | bytes, status: int = 200) -> Response:
    """A response with an ActivityPub document, given as a mapping or as JSON."""
    body = document if isinstance(document, bytes) else json_bytes(document)
    return _vary_on_accept(Response(body, status=status, content_type=ACTIVITY_TYPES[0]))


def _vary_on_accept(response: Response) -> Response:
    if "Vary" in response.headers:
        response.vary.add("Accept")
    else:
        response.headers["Vary"] = "Accept"
    return response
