"""Collections, whole or in pages (ActivityStreams 2.0 section 5).

`items` are ids or embedded documents; `total_items` counts all of the collection.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from federation.errors import DocumentError
from federation.reading import Document, id_of, one_or_many
from federation.vocabulary.context import present, with_context
from federation.vocabulary.required import required_id, required_type

Items = tuple[str | Document, ...]
WHOLE = ("OrderedCollection", "Collection")
PAGE = ("OrderedCollectionPage", "CollectionPage")
# What databases hold in a plain integer.
LARGEST_TOTAL = 2**31 - 1


@dataclass(frozen=True)
class Collection:
    """A collection, whole or the head of its pages.

    `items` is None where it comes in pages; `first` is the first page, by its id or embedded.
    `attributed_to` is the actor whose collection it is.
    """

    id: str
    total_items: int | None = None
    items: Items | None = None
    first: str | Document | None = None
    last: str | None = None
    is_ordered: bool = True
    attributed_to: str | None = None

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Raises `DocumentError` for another type, no id, or an unreadable `totalItems`."""
        kind = required_type(document, WHOLE)
        first = document.get("first")
        return cls(
            id=required_id(document, "id"),
            total_items=_total(document),
            items=_items(document),
            first=first if isinstance(first, str | dict) else None,
            last=id_of(document.get("last")),
            is_ordered=kind == WHOLE[0],
            attributed_to=id_of(document.get("attributedTo")),
        )

    def dump(self, *, context: bool = True) -> Document:
        """The document; without its context where it stands inside another."""
        document = present(
            {
                "id": self.id,
                "type": WHOLE[0] if self.is_ordered else WHOLE[1],
                "attributedTo": self.attributed_to,
                "totalItems": self.total_items,
                "first": self.first,
                "last": self.last,
            }
        ) | _written_items(self.items, is_ordered=self.is_ordered)
        return with_context(document) if context else document


@dataclass(frozen=True)
class CollectionPage:
    """One page of the collection `part_of`; `next` and `prev` are the ids of its neighbours."""

    id: str | None
    part_of: str | None
    items: Items = ()
    next: str | None = None
    prev: str | None = None
    total_items: int | None = None
    is_ordered: bool = True

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Raises `DocumentError` for what is no page, or has an unreadable `totalItems`."""
        kind = required_type(document, PAGE)
        return cls(
            id=id_of(document.get("id")),
            part_of=id_of(document.get("partOf")),
            items=_items(document) or (),
            next=id_of(document.get("next")),
            prev=id_of(document.get("prev")),
            total_items=_total(document),
            is_ordered=kind == PAGE[0],
        )

    def dump(self, *, context: bool = True) -> Document:
        """The document; without its context where it stands inside another."""
        document = present(
            {
                "id": self.id,
                "type": PAGE[0] if self.is_ordered else PAGE[1],
                "partOf": self.part_of,
                "next": self.next,
                "prev": self.prev,
                "totalItems": self.total_items,
            }
        ) | _written_items(self.items, is_ordered=self.is_ordered)
        return with_context(document) if context else document


def _total(document: Mapping[str, Any]) -> int | None:
    total = document.get("totalItems")
    if total is not None and (type(total) is not int or not 0 <= total <= LARGEST_TOTAL):
        raise DocumentError("totalItems", "not a valid number of items")
    return total


def _items(document: Mapping[str, Any]) -> Items | None:
    for name in ("orderedItems", "items"):
        if name in document:
            items = one_or_many(document[name])
            return tuple(item for item in items if isinstance(item, str | dict))
    return None


def _written_items(items: Items | None, *, is_ordered: bool) -> Document:
    if items is None:
        return {}
    return {"orderedItems" if is_ordered else "items": list(items)}
