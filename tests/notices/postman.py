"""A mail server on this machine, and GOV.UK Notify as far as the tests use it."""

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache
from typing import TYPE_CHECKING, Any

import jwt
from aiosmtpd.controller import Controller
from werkzeug.wrappers import Request, Response

from node.testing.processes import free_port

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SERVICE = "26785a09-ab16-4eb0-8407-a37497a57506"
SECRET = "3d844edf-8d35-48ac-975b-e847b4f122b0"
KEY = f"a_key-{SERVICE}-{SECRET}"


@dataclass
class MailServer:
    """Keeps the emails it receives. The next emails get `answers` instead of being accepted."""

    port: int
    received: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, object]:
        """Settings of a node that sends its emails here."""
        return {
            "mail": "smtp",
            "mail_from": "moothall@aldermoor.example",
            "smtp_host": "127.0.0.1",
            "smtp_port": self.port,
            "smtp_security": "none",
        }

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answers:
            return self.answers.pop(0)
        message = message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.received.append(message)
        return "250 taken"


@cache
def port() -> int:
    """The same port each time, so that nodes that send there can be reused."""
    return free_port()


@contextmanager
def mail_server() -> Iterator[MailServer]:
    server = MailServer(port())
    controller = Controller(server, hostname="127.0.0.1", port=server.port)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


@dataclass
class FakeNotify:
    """Keeps the requests it receives. The next requests get `answers`: a status and a message."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        request = Request(environ)
        assert (request.method, request.path) == ("POST", "/v2/notifications/email")
        token = request.headers["Authorization"].removeprefix("Bearer ")
        assert jwt.decode(token, SECRET, algorithms=["HS256"])["iss"] == SERVICE
        with self.lock:
            if self.answers:
                status, message = self.answers.pop(0)
                body = {
                    "status_code": status,
                    "errors": [{"error": "An error", "message": message}],
                }
                return Response(json.dumps(body), status)(environ, start_response)
            self.requests.append(json.loads(request.get_data()))
        return Response("{}", 201)(environ, start_response)
