"""Converts WSGI requests to `SignedRequest`, independent of the framework."""

from typing import TYPE_CHECKING
from urllib.parse import quote

from federation.signatures import Headers, SignedRequest
from node.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

BODY_HEADERS = ("CONTENT_TYPE", "CONTENT_LENGTH")


def build_signed_request(
    settings: Settings, environ: "WSGIEnvironment", body: bytes = b""
) -> SignedRequest:
    """The request in a WSGI `environ` (PEP 3333), with its `body`."""
    return SignedRequest(
        method=environ["REQUEST_METHOD"],
        scheme="https" if settings.is_https else "http",
        authority=settings.authority,
        target=environ.get("REQUEST_URI") or _build_target(environ),
        headers=_build_headers(environ),
        body=body,
    )


def _build_target(environ: "WSGIEnvironment") -> str:
    """The request target, rebuilt for servers that do not pass on the original."""
    path = quote(environ["PATH_INFO"].encode("latin-1"), safe="/:@!$&'()*+,;=~-._")
    query = environ.get("QUERY_STRING")
    return f"{path}?{query}" if query else path


def _build_headers(environ: "WSGIEnvironment") -> Headers:
    """The headers, from `HTTP_X_Y` to `X-Y`."""
    headers = {name[5:]: value for name, value in environ.items() if name.startswith("HTTP_")}
    headers |= {name: environ[name] for name in BODY_HEADERS if environ.get(name)}
    return Headers((name.replace("_", "-"), value) for name, value in headers.items())
