"""Nodes in one process that talk without sockets."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, cast

import httpcore2
from werkzeug.test import EnvironBuilder, run_wsgi_app

from node.messages import msg
from node.outbound.errors import OutboundCode, OutboundError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class InProcessTransport:
    """Carries requests to WSGI applications, found by the authority they answer for.

    `apps` maps `host` or `host:port` to one, and is read at each request: more may be added later.
    """

    def __init__(self, apps: Mapping[str, "WSGIApplication"]) -> None:
        self._apps = apps

    def handle_request(self, request: httpcore2.Request) -> httpcore2.Response:
        headers = [(name.decode("ascii"), value.decode("ascii")) for name, value in request.headers]
        authority = dict(headers)["host"]
        app = self._apps.get(authority)
        if app is None:
            raise OutboundError(
                OutboundCode.NAME_NOT_RESOLVED, msg("The server’s name could not be found.")
            )
        builder = EnvironBuilder(
            method=request.method.decode("ascii"),
            base_url=f"{request.url.scheme.decode('ascii')}://{authority}/",
            path=request.url.target.decode("ascii"),
            headers=headers,
            data=b"".join(cast("Iterable[bytes]", request.stream)),
        )
        body, status, answered = run_wsgi_app(app, builder.get_environ(), buffered=True)
        return httpcore2.Response(
            int(status.split(maxsplit=1)[0]),
            headers=[(name.encode("ascii"), value.encode("latin-1")) for name, value in answered],
            content=b"".join(body),
        )

    def close(self) -> None:
        """Nothing is kept open."""
