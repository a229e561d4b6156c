"""Parsed signatures: the claimed key, algorithm and signed text. Nothing is verified yet."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from federation.errors import Refusal, RefusalReason
from federation.signatures.algorithms import KeyAlgorithm
from federation.signatures.dates import is_recent

# A line break in a field would start another field in the signed text.
PRINTABLE_ASCII = re.compile(r"[\t\x20-\x7e]*")
# Optional headers that are signed whenever they are sent (required by FEP-8fcf).
EXTRA_SIGNED_HEADERS = frozenset({"collection-synchronization"})


def join_signed_lines(lines: Iterable[str]) -> bytes:
    """Join the lines of the text to sign. Raises `Refusal` unless they are printable ASCII."""
    signed_lines = list(lines)
    if not all(PRINTABLE_ASCII.fullmatch(line) for line in signed_lines):
        raise Refusal(RefusalReason.signature_malformed, "a covered component is not plain ASCII")
    return "\n".join(signed_lines).encode("ascii")


def extra_signed_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The outgoing headers that the signature must cover besides the required ones."""
    return {name: value for name, value in headers.items() if name.lower() in EXTRA_SIGNED_HEADERS}


class SignatureScheme(StrEnum):
    """The two signature schemes used in the fediverse."""

    cavage = "cavage"
    rfc9421 = "rfc9421"


@dataclass(frozen=True)
class SignatureCandidate:
    """A signature value, which must match at least one of `texts`.

    `created_times` holds every creation time that the request states; None is an unreadable one.
    `covered` holds the names of the covered components, headers in lower case.
    """

    value: bytes
    texts: tuple[bytes, ...]
    algorithms: frozenset[KeyAlgorithm]
    created_times: tuple[datetime | None, ...]
    expires: datetime | None = None
    covered_components: frozenset[str] = frozenset()

    def is_current(self, now: datetime) -> bool:
        """Whether the signature has not expired and every stated time is recent."""
        if self.expires is not None and self.expires < now:
            return False
        return all(is_recent(created, now) for created in self.created_times)


@dataclass(frozen=True)
class Signature:
    """The signature of a request: valid if any of `candidates`, all by the same key, is."""

    scheme: SignatureScheme
    key_id: str
    candidates: tuple[SignatureCandidate, ...]

    def is_older_than(self, time: datetime) -> bool:
        """Whether any stated creation time is before `time`."""
        created_times = (
            created for candidate in self.candidates for created in candidate.created_times
        )
        return any(created is not None and created < time for created in created_times)

    @property
    def covered_components(self) -> frozenset[str]:
        """The components that every candidate covers."""
        return frozenset.intersection(
            *(candidate.covered_components for candidate in self.candidates)
        )
