"""Refuses requests for other hosts (RFC 9110, sections 7.2 and 7.4)."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING

from node.settings import Settings
from node.web import security_headers

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Load balancers use the node's IP address, and the web server of a council's main domain forwards
# WebFinger requests under its own name.
ANY_HOST_PATHS = frozenset({"/healthz", "/readyz", "/.well-known/webfinger"})
HOST_NAME_PATTERN = re.compile(
    r"(?=.{1,253}(?::|$))[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
    r"(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\.?(?::\d{1,5})?"
)
BRACKETED_IP_PATTERN = re.compile(r"\[([0-9a-f:.]+)\](?::\d{1,5})?")


class HostMiddleware:
    """WSGI middleware that passes requests for this node's own host to `app`.

    Other hosts get 421 (Misdirected Request), an invalid Host header 400. Health checks and
    WebFinger are answered for any host.
    """

    def __init__(self, app: "WSGIApplication", settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._own_host = _normalise_host(settings.authority, settings)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        host, path = environ.get("HTTP_HOST", "").lower(), environ.get("PATH_INFO", "")
        if path in ANY_HOST_PATHS:
            environ["HTTP_HOST"] = self._settings.authority
            return self._app(environ, start_response)
        if _normalise_host(host, self._settings) == self._own_host:
            return self._app(environ, start_response)
        if not _is_host_name(host):
            text = "The request has no Host header, or one that is not the name of a server."
            return self._respond(HTTPStatus.BAD_REQUEST, text, environ, start_response)
        text = (
            f"This server is {self._settings.base_url} and answers to no other name."
            " A proxy in front of it has to pass on the Host header."
        )
        return self._respond(HTTPStatus.MISDIRECTED_REQUEST, text, environ, start_response)

    def _respond(
        self,
        status: HTTPStatus,
        text: str,
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
    ) -> Iterable[bytes]:
        body = f"{text}\n".encode()
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            *security_headers.document_headers(https=self._settings.is_https),
        ]
        start_response(f"{status.value} {status.phrase}", headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


def _normalise_host(host: str, settings: Settings) -> str:
    """Remove the default port and the trailing dot."""
    return host.removesuffix(":443" if settings.is_https else ":80").removesuffix(".")


def _is_host_name(host: str) -> bool:
    match = BRACKETED_IP_PATTERN.fullmatch(host)
    if match is None:
        return HOST_NAME_PATTERN.fullmatch(host) is not None
    try:
        return ip_address(match[1]).version == 6
    except ValueError:
        return False
