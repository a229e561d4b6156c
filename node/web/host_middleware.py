"""Whose name a request asks for (RFC 9110, sections 7.2 and 7.4), looked at first of all."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING

from node.settings import Settings
from node.web import security_headers

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Load balancers know the node by its address; the web server of a council's main domain passes on
# what is asked of that.
ANY_HOST_PATHS = frozenset({"/healthz", "/readyz", "/.well-known/webfinger"})
HOST_NAME = re.compile(
    r"(?=.{1,253}(?::|$))[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
    r"(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\.?(?::\d{1,5})?"
)
BRACKETED_IP = re.compile(r"\[([0-9a-f:.]+)\](?::\d{1,5})?")


class HostMiddleware:
    """A WSGI application: leaves to `app` what is asked of this node by its own name.

    Another's name is answered with 421, what is no name with 400. Health checks and WebFinger are
    answered by any name.
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
            words = "The request has no Host header, or one that is not the name of a server."
            return self._answer(HTTPStatus.BAD_REQUEST, words, environ, start_response)
        words = (
            f"This server is {self._settings.base_url} and answers to no other name."
            " A proxy in front of it has to pass on the Host header."
        )
        return self._answer(HTTPStatus.MISDIRECTED_REQUEST, words, environ, start_response)

    def _answer(
        self,
        status: HTTPStatus,
        words: str,
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
    ) -> Iterable[bytes]:
        body = f"{words}\n".encode()
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            *security_headers.document_headers(https=self._settings.is_https),
        ]
        start_response(f"{status.value} {status.phrase}", headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


def _normalise_host(host: str, settings: Settings) -> str:
    """Without the port that goes without saying, and the dot of the root."""
    return host.removesuffix(":443" if settings.is_https else ":80").removesuffix(".")


def _is_host_name(host: str) -> bool:
    found = BRACKETED_IP.fullmatch(host)
    if found is None:
        return HOST_NAME.fullmatch(host) is not None
    try:
        return ip_address(found[1]).version == 6
    except ValueError:
        return False
