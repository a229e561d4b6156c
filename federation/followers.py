"""Follower synchronisation between servers (FEP-8fcf).

A delivery carries a digest of the sender's followers on the receiving server, and the address of
their list. A receiver whose own digest differs fetches that list.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from federation.council_digest import combine
from federation.errors import DocumentError
from federation.origin import same_origin
from federation.signatures.parameters import parse_parameters
from federation.signatures.structured_fields import HeaderFieldError

HEADER_NAME = "Collection-Synchronization"
HEX_DIGEST = re.compile("[0-9a-f]{64}")


def partial_followers_digest(uris: Iterable[str]) -> str:
    """The digest of the followers on one server: the XOR of the SHA-256 of their ids, in hex."""
    return combine(int.from_bytes(sha256(uri.encode()).digest()) for uri in set(uris))


@dataclass(frozen=True)
class CollectionSynchronization:
    """The parsed header: the part of the followers `collection_id` on the receiver's server.

    `url` is the address of that part, readable by the receiver only; `digest` is its digest.
    """

    collection_id: str
    url: str
    digest: str

    @classmethod
    def parse(cls, header: str, followers: str | None) -> Self:
        """Read the header of a sender whose followers collection is `followers`.

        Raises `DocumentError` for another collection, and for a `url` of another origin: a sender
        must not make us contact a third server. The caller must also check that the signature
        covers the header (`Accepted.covered_components`).
        """
        try:
            parameters = parse_parameters(header)
        except HeaderFieldError as error:
            raise DocumentError(HEADER_NAME, str(error)) from error
        parsed = cls(*(parameters.get(name, "") for name in ("collectionId", "url", "digest")))
        if not followers or parsed.collection_id != followers:
            raise DocumentError("collectionId", "not the sender’s followers")
        if not same_origin(parsed.url, followers):
            raise DocumentError("url", "from a different origin")
        if not HEX_DIGEST.fullmatch(parsed.digest):
            raise DocumentError("digest", "not 64 hexadecimal digits")
        return parsed

    def dump(self) -> str:
        """The header's value."""
        return f'collectionId="{self.collection_id}", url="{self.url}", digest="{self.digest}"'
