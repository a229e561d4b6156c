"""Collections, complete or in pages (ActivityStreams 2.0 section 5).

`items` holds ids or embedded documents; `total_items` counts the whole collection.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from federation.errors import DocumentError
from federation.properties import JsonObject, id_of, one_or_many
from federation.vocabulary.context import drop_empty, with_context
from federation.vocabulary.required import required_id, required_type

CollectionItems = tuple[str | JsonObject, ...]
COLLECTION_TYPES = ("OrderedCollection", "Collection")
PAGE_TYPES = ("OrderedCollectionPage", "CollectionPage")
# The largest value of an integer column.
MAX_TOTAL = 2**31 - 1


@dataclass(frozen=True)
class Collection:
    """A collection with its items, or with a link to its pages.

    `items` is None for a paged collection; `first` is the first page, by its id or embedded.
    `attributed_to` is the actor that owns the collection.
    """

    id: str
    total_items: int | None = None
    items: CollectionItems | None = None
    first: str | JsonObject | None = None
    last: str | None = None
    is_ordered: bool = True
    attributed_to: str | None = None

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Raises `DocumentError` for another type, no id, or an unreadable `totalItems`."""
        kind = required_type(document, COLLECTION_TYPES)
        first = document.get("first")
        return cls(
            id=required_id(document, "id"),
            total_items=_parse_total(document),
            items=_parse_items(document),
            first=first if isinstance(first, str | dict) else None,
            last=id_of(document.get("last")),
            is_ordered=kind == COLLECTION_TYPES[0],
            attributed_to=id_of(document.get("attributedTo")),
        )

    def dump(self, *, context: bool = True) -> JsonObject:
        """The document; without a JSON-LD context to embed it in another."""
        document = drop_empty(
            {
                "id": self.id,
                "type": COLLECTION_TYPES[0] if self.is_ordered else COLLECTION_TYPES[1],
                "attributedTo": self.attributed_to,
                "totalItems": self.total_items,
                "first": self.first,
                "last": self.last,
            }
        ) | _dump_items(self.items, is_ordered=self.is_ordered)
        return with_context(document) if context else document


@dataclass(frozen=True)
class CollectionPage:
    """A page of the collection `part_of`. `next` and `prev` are the ids of neighbouring pages."""

    id: str | None
    part_of: str | None
    items: CollectionItems = ()
    next: str | None = None
    prev: str | None = None
    total_items: int | None = None
    is_ordered: bool = True

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Raises `DocumentError` for another type, or an unreadable `totalItems`."""
        kind = required_type(document, PAGE_TYPES)
        return cls(
            id=id_of(document.get("id")),
            part_of=id_of(document.get("partOf")),
            items=_parse_items(document) or (),
            next=id_of(document.get("next")),
            prev=id_of(document.get("prev")),
            total_items=_parse_total(document),
            is_ordered=kind == PAGE_TYPES[0],
        )

    def dump(self, *, context: bool = True) -> JsonObject:
        """The document; without a JSON-LD context to embed it in another."""
        document = drop_empty(
            {
                "id": self.id,
                "type": PAGE_TYPES[0] if self.is_ordered else PAGE_TYPES[1],
                "partOf": self.part_of,
                "next": self.next,
                "prev": self.prev,
                "totalItems": self.total_items,
            }
        ) | _dump_items(self.items, is_ordered=self.is_ordered)
        return with_context(document) if context else document


def _parse_total(document: Mapping[str, Any]) -> int | None:
    total = document.get("totalItems")
    if total is not None and (type(total) is not int or not 0 <= total <= MAX_TOTAL):
        raise DocumentError("totalItems", "not a valid number of items")
    return total


def _parse_items(document: Mapping[str, Any]) -> CollectionItems | None:
    for name in ("orderedItems", "items"):
        if name in document:
            items = one_or_many(document[name])
            return tuple(item for item in items if isinstance(item, str | dict))
    return None


def _dump_items(items: CollectionItems | None, *, is_ordered: bool) -> JsonObject:
    if items is None:
        return {}
    return {"orderedItems" if is_ordered else "items": list(items)}
