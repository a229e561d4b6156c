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
from node.federating.signing import ask
from node.outbound import Outbound, OutboundError
from node.text import one_line

AS2 = "application/activity+json"
LONGEST_WORDS = 300
NO_KEY = "Its author has no key to sign with any more."


@dataclass(frozen=True)
class Letter:
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
    kind: str = ""
    body: bytes = b""
    key: PrivateKey | None = None
    scheme: Scheme | None = None
    refused: str = ""
    unreadable: str = ""
    is_careful: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Tried:
    """What came of one attempt. `status` None: nobody answered. `final`: trying again is vain.
    `is_ours`: it was this node that could not send it, which says nothing about the host.

    `scheme` is what the host is known to take now.
    """

    status: int | None
    words: str
    seconds: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    final: bool = False
    is_ours: bool = False
    scheme: Scheme | None = None
    at: datetime = field(default_factory=now)

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def retry_after(self) -> str | None:
        return self.headers.get("retry-after")

    @property
    def is_answered(self) -> bool | None:
        """Whether the host is well enough to answer; None where it was not asked."""
        if self.status is None:
            return None if self.final or self.is_ours else False
        return self.status < 500


def send(outbound: Outbound, letter: Letter) -> Tried:
    """Send it once, signed now."""
    if letter.unreadable:
        return Tried(None, letter.unreadable, is_ours=True)
    key = letter.key
    if letter.refused or key is None:
        return Tried(None, letter.refused or NO_KEY, final=True, scheme=letter.scheme)
    started = monotonic()
    try:
        answer, scheme = ask(
            letter.scheme,
            key,
            lambda sign: outbound.post(letter.inbox, letter.body, content_type=AS2, sign=sign),
            letter.headers,
        )
    except OutboundError as error:
        seconds = monotonic() - started
        return Tried(None, error.safe_text, seconds, final=error.permanent, scheme=letter.scheme)
    words = "" if answer.status < 300 else _said(answer.body)
    return Tried(answer.status, words, monotonic() - started, answer.headers, scheme=scheme)


def _said(body: bytes) -> str:
    """What a stranger answered, shortly, as text that any database and terminal takes.

    Of a problem document (RFC 9457) that is its detail.
    """
    text = body[:LONGEST_WORDS].decode("utf-8", "replace")
    with suppress(FederationError):
        detail = parse_json(body).get("detail")
        text = detail[:LONGEST_WORDS] if isinstance(detail, str) else text
    return one_line(text, LONGEST_WORDS)
