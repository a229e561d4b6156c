"""A transport between nodes in the same process, without sockets."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, cast

import httpcore2
from werkzeug.test import EnvironBuilder, run_wsgi_app

from node.messages import msg
from node.outbound.errors import OutboundError, OutboundErrorCode

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class InProcessTransport:
    """Sends requests to WSGI applications.

    `apps` maps `host` or `host:port` to an application. It is read at each request, so applications
    can be added later.
    """

    def __init__(self, apps: Mapping[str, "WSGIApplication"]) -> None:
        self._apps = apps

    def handle_request(self, request: httpcore2.Request) -> httpcore2.Response:
        headers = [(name.decode("ascii"), value.decode("ascii")) for name, value in request.headers]
        authority = dict(headers)["host"]
        app = self._apps.get(authority)
        if app is None:
            raise OutboundError(
                OutboundErrorCode.NAME_NOT_RESOLVED, msg("The server’s name could not be found.")
            )
        builder = EnvironBuilder(
            method=request.method.decode("ascii"),
            base_url=f"{request.url.scheme.decode('ascii')}://{authority}/",
            path=request.url.target.decode("ascii"),
            headers=headers,
            data=b"".join(cast("Iterable[bytes]", request.stream)),
        )
        body, status, response_headers = run_wsgi_app(app, builder.get_environ(), buffered=True)
        return httpcore2.Response(
            int(status.split(maxsplit=1)[0]),
            headers=[
                (name.encode("ascii"), value.encode("latin-1")) for name, value in response_headers
            ],
            content=b"".join(body),
        )

    def close(self) -> None:
        """Do nothing: no connections are kept open."""
