"""Digests by which two nodes find the differences between their copies of a council's projects.

Each project and each update is an entry, made of its id and its revision. The id alone decides in
which of 256 buckets an entry is. The digest of a set is the XOR of its entries, so it does not
depend on their order, and a change costs two XORs. A peer fetches the digest document of a council,
then only the buckets that differ. Documents of plugins have one digest per type, since not every
node knows every type.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

from federation.errors import DocumentError
from federation.origin import MAX_LEN_URL, same_origin
from federation.properties import JsonObject
from federation.vocabulary.context import AS2_CONTEXT, NAMESPACE
from federation.vocabulary.projects import is_revision
from federation.vocabulary.required import required_id, required_type

BUCKET_COUNT = 256
MAX_ENTRIES = 20_000
EMPTY_DIGEST = "0" * 64
HEX_DIGEST = re.compile(r"[0-9a-f]{64}")
# The header beside a digest document with the digest of each type of plugin documents; characters.
TYPES_HEADER, MAX_LEN_TYPES_HEADER = "Documents-Digest", 20_000
TYPE_MEMBER = re.compile(r'([A-Za-z]\w*)="([0-9a-f]{64})"', re.ASCII)
# Only Moothall reads these documents: terms outside AS2 are in our namespace.
CONTEXT = [AS2_CONTEXT, {"@vocab": NAMESPACE}]


def hash_entry(uri: str, revision: str) -> int:
    """The value of an entry in a digest: the SHA-256 of its id, a line break and its revision."""
    return int.from_bytes(sha256(f"{uri}\n{revision}".encode()).digest())


def bucket_number(uri: str) -> int:
    """The number of the bucket for an id, 0 to 255: the first byte of its SHA-256."""
    return sha256(uri.encode()).digest()[0]


def combine(entries: Iterable[int], start: str = EMPTY_DIGEST) -> str:
    """Return the digest of entries, as 64 hexadecimal digits.

    `start` is a digest to change: entries that it contains are removed, the others are added.
    """
    total = int(start, 16)
    for entry in entries:
        total ^= entry
    return f"{total:064x}"


@dataclass(frozen=True)
class BucketDigest:
    """The count and the digest of the entries in bucket `number`."""

    number: int
    count: int
    digest: str


@dataclass(frozen=True)
class CouncilDigest:
    """The digest document `id` of everything of `council` that its reader may see.

    `buckets` holds the buckets that are not empty, in order of their numbers.
    """

    id: str
    council: str
    buckets: tuple[BucketDigest, ...] = ()

    @property
    def count(self) -> int:
        return sum(bucket.count for bucket in self.buckets)

    @property
    def digest(self) -> str:
        return combine(int(bucket.digest, 16) for bucket in self.buckets)

    def bucket_id(self, number: int) -> str:
        """The id of the document that lists the entries of a bucket."""
        return f"{self.id}/{number}"

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Raises `DocumentError` for another type, or if buckets and total digest disagree."""
        required_type(document, ("Collection",))
        uri = required_id(document, "id")
        council = required_id(document, "attributedTo")
        if not same_origin(uri, council):
            raise DocumentError("attributedTo", "from a different origin")
        buckets = document.get("buckets")
        if not isinstance(buckets, list) or len(buckets) > BUCKET_COUNT:
            raise DocumentError("buckets", "not a list of buckets")
        parsed = cls(uri, council, tuple(_parse_bucket(item) for item in buckets))
        numbers = [bucket.number for bucket in parsed.buckets]
        if numbers != sorted(set(numbers)):
            raise DocumentError("buckets", "not in order, or contains duplicates")
        total = _parse_number(document, "totalItems", 2**31 - 1)
        if (total, document.get("digest")) != (parsed.count, parsed.digest):
            raise DocumentError("buckets", "do not match the digest")
        return parsed

    def dump(self) -> JsonObject:
        return {
            "@context": CONTEXT,
            "id": self.id,
            "type": "Collection",
            "attributedTo": self.council,
            "totalItems": self.count,
            "digest": self.digest,
            "buckets": [
                {"number": bucket.number, "count": bucket.count, "digest": bucket.digest}
                for bucket in self.buckets
            ],
        }


@dataclass(frozen=True)
class BucketDocument:
    """The document `id` that lists a bucket of the digest document `part_of`.

    `entries` maps ids to revisions.
    """

    id: str
    part_of: str
    number: int
    entries: Mapping[str, str]

    @property
    def digest(self) -> str:
        return combine(hash_entry(uri, revision) for uri, revision in self.entries.items())

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Raises `DocumentError` for anything but such a document."""
        required_type(document, ("OrderedCollectionPage",))
        uri, part_of = required_id(document, "id"), required_id(document, "partOf")
        if not same_origin(uri, part_of):
            raise DocumentError("partOf", "from a different origin")
        number = _parse_number(document, "number", BUCKET_COUNT - 1)
        entries = _parse_entries(document, uri)
        if any(bucket_number(entry_uri) != number for entry_uri in entries):
            raise DocumentError("entries", "contains entries from another bucket")
        return cls(uri, part_of, number, entries)

    def dump(self) -> JsonObject:
        return {
            "@context": CONTEXT,
            "id": self.id,
            "type": "OrderedCollectionPage",
            "partOf": self.part_of,
            "number": self.number,
            "entries": [[uri, revision] for uri, revision in self.entries.items()],
        }


def dump_types(digests: Mapping[str, str]) -> str:
    """The value of `TYPES_HEADER`: a dictionary (RFC 9651) from type to digest."""
    return ", ".join(f'{kind}="{digest}"' for kind, digest in sorted(digests.items()))


def parse_types(header: str | None) -> dict[str, str] | None:
    """Read the value of `TYPES_HEADER`: type to digest. None if the header is missing."""
    if header is None:
        return None
    return dict(TYPE_MEMBER.findall(header[:MAX_LEN_TYPES_HEADER]))


def type_digest_uri(digest: str, kind: str) -> str:
    """The address of the `TypeDigest` for `kind` that belongs to the digest document `digest`."""
    return f"{digest}/documents/{kind}"


@dataclass(frozen=True)
class TypeDigest:
    """The document `id` that lists a council's plugin documents of one type.

    `part_of` is the council's digest document; `entries` maps ids to revisions. There are few of
    them, so they are not split into buckets.
    """

    id: str
    part_of: str
    entries: Mapping[str, str]

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Raises `DocumentError` for anything but such a document."""
        required_type(document, ("Collection",))
        uri, part_of = required_id(document, "id"), required_id(document, "partOf")
        if not same_origin(uri, part_of):
            raise DocumentError("partOf", "from a different origin")
        return cls(uri, part_of, _parse_entries(document, uri))

    def dump(self) -> JsonObject:
        return {
            "@context": CONTEXT,
            "id": self.id,
            "type": "Collection",
            "partOf": self.part_of,
            "totalItems": len(self.entries),
            "entries": [[uri, revision] for uri, revision in self.entries.items()],
        }


def _parse_bucket(item: Any) -> BucketDigest:
    if not isinstance(item, dict):
        raise DocumentError("buckets", "not a bucket")
    digest = item.get("digest")
    if not isinstance(digest, str) or not HEX_DIGEST.fullmatch(digest):
        raise DocumentError("digest", "not 64 hexadecimal digits")
    count = _parse_number(item, "count", 2**31 // BUCKET_COUNT - 1)
    return BucketDigest(_parse_number(item, "number", BUCKET_COUNT - 1), count, digest)


def _parse_number(document: Mapping[str, Any], name: str, largest: int) -> int:
    number = document.get(name)
    if type(number) is not int or not 0 <= number <= largest:
        raise DocumentError(name, "not a whole number in the allowed range")
    return number


def _parse_entries(document: Mapping[str, Any], origin: str) -> dict[str, str]:
    entries = document.get("entries")
    if not isinstance(entries, list) or len(entries) > MAX_ENTRIES:
        raise DocumentError("entries", "not a list, or a list that is too long")
    revisions = dict(_parse_entry(item, origin) for item in entries)
    if len(revisions) != len(entries):
        raise DocumentError("entries", "contains the same ID twice")
    return revisions


def _parse_entry(item: Any, origin: str) -> tuple[str, str]:
    """Read an id, which must have the origin of `origin`, and its revision."""
    if not isinstance(item, list) or len(item) != 2:
        raise DocumentError("entries", "not a pair")
    uri, revision = item
    if not isinstance(uri, str) or len(uri) > MAX_LEN_URL or not is_revision(revision):
        raise DocumentError("entries", "not an ID and a revision")
    if not same_origin(uri, origin):
        raise DocumentError("entries", "from a different origin")
    return uri, revision
