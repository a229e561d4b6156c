"""A web request as signatures speak of it, without a framework."""

from typing import TYPE_CHECKING
from urllib.parse import quote

from federation.signatures import Headers, SignedRequest
from node.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

BODY_HEADERS = ("CONTENT_TYPE", "CONTENT_LENGTH")


def signed_request(
    settings: Settings, environ: "WSGIEnvironment", body: bytes = b""
) -> SignedRequest:
    """The request that a WSGI server hands on in `environ` (PEP 3333), with its `body`."""
    return SignedRequest(
        method=environ["REQUEST_METHOD"],
        scheme="https" if settings.is_https else "http",
        authority=settings.authority,
        target=environ.get("REQUEST_URI") or _target(environ),
        headers=_headers(environ),
        body=body,
    )


def _target(environ: "WSGIEnvironment") -> str:
    """As far as it can be told from a server that does not hand on what it was sent."""
    path = quote(environ["PATH_INFO"].encode("latin-1"), safe="/:@!$&'()*+,;=~-._")
    query = environ.get("QUERY_STRING")
    return f"{path}?{query}" if query else path


def _headers(environ: "WSGIEnvironment") -> Headers:
    """`HTTP_X_Y` is X-Y."""
    given = {name[5:]: value for name, value in environ.items() if name.startswith("HTTP_")}
    given |= {name: environ[name] for name in BODY_HEADERS if environ.get(name)}
    return Headers((name.replace("_", "-"), value) for name, value in given.items())
