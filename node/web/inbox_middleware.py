"""Receives inbox messages before Flask, which halves the cost of these frequent requests.

All inbox paths are handled alike: the message itself says to whom it is addressed.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wsgi import get_input_stream

from federation.errors import Refusal, RefusalReason
from federation.signatures import SignedRequest, claimed_host
from node.database.engine import UNAVAILABLE_ERRORS
from node.federating.inbound import inbox
from node.federating.inbound.wsgi import build_signed_request
from node.runtime import Node
from node.web import error_pages, request_lifecycle, security_headers

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger(__name__)

INBOX_PATH_PATTERN = re.compile(
    r"(/actor|/councils/[^/]+|/projects/[^/]+/group|/officers/[^/]+)?/inbox"
)


class InboxMiddleware:
    """WSGI middleware that handles POST requests to inboxes, and passes all others to `app`."""

    def __init__(self, app: "WSGIApplication", node: Node) -> None:
        self._app = app
        self._node = node
        self._headers = security_headers.document_headers(https=node.settings.is_https)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST" or not INBOX_PATH_PATTERN.fullmatch(
            environ["PATH_INFO"]
        ):
            return self._app(environ, start_response)
        request_id = request_lifecycle.request_id(environ.get("HTTP_X_REQUEST_ID", ""))
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        headers = [("X-Request-Id", request_id), *self._headers]
        try:
            inbox.receive(self._node, self._read_request(environ))
        except Refusal as refusal:
            response = error_pages.refusal_response(refusal)
        except UNAVAILABLE_ERRORS as error:
            response = error_pages.busy_response(error)
        except Exception:
            log.exception("inbox request failed")
            response = error_pages.failure_response()
        else:
            start_response("202 ACCEPTED", [("Content-Length", "0"), *headers])
            return [b""]
        response.headers.extend(headers)
        return response(environ, start_response)

    def _read_request(self, environ: "WSGIEnvironment") -> SignedRequest:
        """Raises `Refusal`, after recording it, for a body that is too large."""
        settings = self._node.settings
        try:
            # One byte more than allowed, since a body without Content-Length is silently truncated.
            stream = get_input_stream(environ, max_content_length=inbox.MAX_BYTES + 1)
            return build_signed_request(settings, environ, stream.read())
        except RequestEntityTooLarge:
            refusal = Refusal(RefusalReason.too_large)
            inbox.refuse(self._node, claimed_host(build_signed_request(settings, environ)), refusal)
            raise refusal from None
