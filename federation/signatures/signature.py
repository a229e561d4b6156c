"""What a request claims: who signed it, how, and over which text. Nothing here is proven yet."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from federation.errors import Reason, Refusal
from federation.signatures.algorithms import Algorithm
from federation.signatures.dates import is_recent

# A line break in a field would begin another field in what is signed.
PRINTABLE = re.compile(r"[\t\x20-\x7e]*")
# What is signed, where it is sent, beside what has to be (FEP-8fcf wants it so).
EXTRA_SIGNED_HEADERS = frozenset({"collection-synchronization"})


def join_signed_lines(lines: Iterable[str]) -> bytes:
    """The lines that are signed, joined. Raises `Refusal` for anything but printable ASCII."""
    found = list(lines)
    if not all(PRINTABLE.fullmatch(line) for line in found):
        raise Refusal(Reason.signature_malformed, "a covered component is not plain ASCII")
    return "\n".join(found).encode("ascii")


def extra_signed_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Those of the headers to send that a signature is to cover too."""
    return {name: value for name, value in headers.items() if name.lower() in EXTRA_SIGNED_HEADERS}


class Scheme(StrEnum):
    """The two ways to sign a request that are spoken in the fediverse."""

    cavage = "cavage"
    rfc9421 = "rfc9421"


@dataclass(frozen=True)
class SignatureCandidate:
    """One signature value, and the texts of which it must match one.

    `made` holds every time at which it claims to have been made; None is a time that cannot be
    read. `covered` names the components that it covers; headers in lower case.
    """

    value: bytes
    texts: tuple[bytes, ...]
    algorithms: frozenset[Algorithm]
    created_times: tuple[datetime | None, ...]
    expires: datetime | None = None
    covered: frozenset[str] = frozenset()

    def is_current(self, now: datetime) -> bool:
        """Whether every time it states allows it to arrive now."""
        if self.expires is not None and self.expires < now:
            return False
        return all(is_recent(moment, now) for moment in self.created_times)


@dataclass(frozen=True)
class Signature:
    """What a request is signed with. Any one of `candidates`, all by the same key, is enough."""

    scheme: Scheme
    key_id: str
    candidates: tuple[SignatureCandidate, ...]

    def is_older_than(self, moment: datetime) -> bool:
        """Whether any of the times that it states is before `moment`."""
        stated = (made for candidate in self.candidates for made in candidate.created_times)
        return any(made is not None and made < moment for made in stated)

    @property
    def covered(self) -> frozenset[str]:
        """The components that are signed, whichever of the candidates matches."""
        return frozenset.intersection(*(candidate.covered for candidate in self.candidates))
