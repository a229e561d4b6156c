"""Keeping lists of followers in step with other servers (FEP-8fcf).

With a delivery, the sender says what it has of its followers on the receiver's server: a digest,
and where the list is. Where the receiver has another list, it fetches the sender's.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from federation.digest import combine
from federation.errors import DocumentError
from federation.origin import same_origin
from federation.signatures.parameters import parse_parameters
from federation.signatures.structured_fields import FieldError

HEADER = "Collection-Synchronization"
HEX_DIGEST = re.compile("[0-9a-f]{64}")


def partial_followers_digest(uris: Iterable[str]) -> str:
    """The digest of the followers on one server: the XOR of the SHA-256 of their ids, in hex."""
    return combine(int.from_bytes(sha256(uri.encode()).digest()) for uri in set(uris))


@dataclass(frozen=True)
class CollectionSynchronization:
    """What the header says of the part of `collection_id` that is on the receiver's server.

    `url` is where that part is, for the receiver only; `digest` is of that part.
    """

    collection_id: str
    url: str
    digest: str

    @classmethod
    def parse(cls, header: str, followers: str | None) -> Self:
        """Read the header of a sender whose followers collection is `followers`.

        Raises `DocumentError` where it speaks of another collection or of another origin: nobody
        shall make us ask a third server. Whether the signature covers the header is to be checked
        too (`Accepted.covered`).
        """
        try:
            parameters = parse_parameters(header)
        except FieldError as error:
            raise DocumentError(HEADER, str(error)) from error
        found = cls(*(parameters.get(name, "") for name in ("collectionId", "url", "digest")))
        if not followers or found.collection_id != followers:
            raise DocumentError("collectionId", "not the sender's followers")
        if not same_origin(found.url, followers):
            raise DocumentError("url", "from a different origin")
        if not HEX_DIGEST.fullmatch(found.digest):
            raise DocumentError("digest", "not 64 hexadecimal digits")
        return found

    def dump(self) -> str:
        """The header's value."""
        return f'collectionId="{self.collection_id}", url="{self.url}", digest="{self.digest}"'
