"""One attempt to deliver: sent, and what came of it. Touches no database."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from federation.errors import FederationError
from federation.signatures import PrivateKey, Scheme
from federation.vocabulary import parse_json
from node.db import now
from node.federating.signature_schemes import send_signed
from node.outbound import Outbound, OutboundError
from node.text import one_line

AS2 = "application/activity+json"
MAX_LEN_DETAIL = 300
NO_SIGNING_KEY = "Its author has no key to sign with any more."


@dataclass(frozen=True)
class OutgoingRequest:
    """All that is needed to send one delivery once.

    `kind` is the activity's type, `scheme` the one that its host is known to take. `refused` says
    why it may not be sent at all, `unreadable` why it cannot be sent now. `is_careful`: its host
    failed lately, or is slow. `headers` go with it, and are signed. `due_at` is when it was due as
    it was leased.
    """

    id: int
    inbox: str
    host: str
    object_uri: str
    due_at: datetime
    activity_type: str = ""
    body: bytes = b""
    key: PrivateKey | None = None
    scheme: Scheme | None = None
    refusal: str = ""
    load_error: str = ""
    is_degraded: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AttemptResult:
    """What came of one attempt. `status` None: nobody answered. `final`: trying again is vain.
    `is_ours`: it was this node that could not send it, which says nothing about the host.

    `scheme` is what the host is known to take now.
    """

    status: int | None
    detail: str
    seconds: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    is_permanent: bool = False
    is_own_failure: bool = False
    scheme: Scheme | None = None
    at: datetime = field(default_factory=now)

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def retry_after(self) -> str | None:
        return self.headers.get("retry-after")

    @property
    def host_responded(self) -> bool | None:
        """Whether the host is well enough to answer; None where it was not asked."""
        if self.status is None:
            return None if self.is_permanent or self.is_own_failure else False
        return self.status < 500


def send(outbound: Outbound, letter: OutgoingRequest) -> AttemptResult:
    """Send it once, signed now."""
    if letter.load_error:
        return AttemptResult(None, letter.load_error, is_own_failure=True)
    key = letter.key
    if letter.refusal or key is None:
        return AttemptResult(
            None, letter.refusal or NO_SIGNING_KEY, is_permanent=True, scheme=letter.scheme
        )
    started = monotonic()
    try:
        answer, scheme = send_signed(
            letter.scheme,
            key,
            lambda sign: outbound.post(letter.inbox, letter.body, content_type=AS2, sign=sign),
            letter.headers,
        )
    except OutboundError as error:
        seconds = monotonic() - started
        return AttemptResult(
            None, error.safe_text, seconds, is_permanent=error.permanent, scheme=letter.scheme
        )
    words = "" if answer.status < 300 else _response_detail(answer.body)
    return AttemptResult(answer.status, words, monotonic() - started, answer.headers, scheme=scheme)


def _response_detail(body: bytes) -> str:
    """What a stranger answered, shortly, as text that any database and terminal takes.

    Of a problem document (RFC 9457) that is its detail.
    """
    text = body[:MAX_LEN_DETAIL].decode("utf-8", "replace")
    with suppress(FederationError):
        detail = parse_json(body).get("detail")
        text = detail[:MAX_LEN_DETAIL] if isinstance(detail, str) else text
    return one_line(text, MAX_LEN_DETAIL)
