"""Sends one delivery attempt, without access to the database."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from federation.errors import FederationError
from federation.signatures import PrivateKey, SignatureScheme
from federation.vocabulary import parse_json
from node.database.tables import now
from node.federating.identity.signature_schemes import send_signed
from node.outbound import OutboundClient, OutboundError
from node.text import one_line

ACTIVITY_JSON = "application/activity+json"
MAX_LEN_DETAIL = 300
NO_SIGNING_KEY = "The sender has no signing key."


@dataclass(frozen=True)
class OutgoingRequest:
    """Everything needed for one delivery attempt.

    `scheme`: the signature scheme that the host is known to accept. `refusal`: why it must never be
    sent. `load_error`: why it cannot be sent now. `is_degraded`: the host failed recently, or is
    slow. `headers` are sent and signed. `due_at`: the due time when it was leased.
    """

    id: int
    inbox: str
    host: str
    object_uri: str
    due_at: datetime
    activity_type: str = ""
    body: bytes = b""
    key: PrivateKey | None = None
    signature_scheme: SignatureScheme | None = None
    refusal: str = ""
    load_error: str = ""
    is_degraded: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AttemptResult:
    """The result of one attempt. `status` is None if the host did not respond. `is_permanent`: a
    retry is useless. `is_own_failure`: this node could not send, which says nothing about the host.

    `scheme`: the signature scheme that the host is known to accept now.
    """

    status: int | None
    detail: str
    seconds: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    is_permanent: bool = False
    is_own_failure: bool = False
    signature_scheme: SignatureScheme | None = None
    at: datetime = field(default_factory=now)

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def retry_after(self) -> str | None:
        return self.headers.get("retry-after")

    @property
    def host_responded(self) -> bool | None:
        """Whether the host works, by its response; None if it was not contacted."""
        if self.status is None:
            return None if self.is_permanent or self.is_own_failure else False
        return self.status < 500


def send(outbound: OutboundClient, request: OutgoingRequest) -> AttemptResult:
    """Send a request once, signed now."""
    if request.load_error:
        return AttemptResult(None, request.load_error, is_own_failure=True)
    key = request.key
    if request.refusal or key is None:
        return AttemptResult(
            None,
            request.refusal or NO_SIGNING_KEY,
            is_permanent=True,
            signature_scheme=request.signature_scheme,
        )
    started = monotonic()
    try:
        response, scheme = send_signed(
            request.signature_scheme,
            key,
            lambda sign: outbound.post(
                request.inbox, request.body, content_type=ACTIVITY_JSON, sign=sign
            ),
            request.headers,
        )
    except OutboundError as error:
        seconds = monotonic() - started
        return AttemptResult(
            None,
            error.safe_text,
            seconds,
            is_permanent=error.permanent,
            signature_scheme=request.signature_scheme,
        )
    detail = "" if response.status < 300 else _response_detail(response.body)
    return AttemptResult(
        response.status, detail, monotonic() - started, response.headers, signature_scheme=scheme
    )


def _response_detail(body: bytes) -> str:
    """A response body as short text that is safe for any database and terminal; of a problem
    document (RFC 9457), its detail.
    """
    text = body[:MAX_LEN_DETAIL].decode("utf-8", "replace")
    with suppress(FederationError):
        detail = parse_json(body).get("detail")
        text = detail[:MAX_LEN_DETAIL] if isinstance(detail, str) else text
    return one_line(text, MAX_LEN_DETAIL)
