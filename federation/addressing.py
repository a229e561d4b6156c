"""Addressing of documents: public or to named recipients (ActivityPub sections 5.6 and 6.1)."""

from typing import Any, TypedDict

from federation.properties import ids_of

PUBLIC_COLLECTION = "https://www.w3.org/ns/activitystreams#Public"
PUBLIC_COLLECTION_IDS = frozenset({PUBLIC_COLLECTION, "as:Public", "Public"})


class Addressing(TypedDict):
    """The arguments `to` and `cc` of the functions that build documents."""

    to: tuple[str, ...]
    cc: tuple[str, ...]


def is_public(to: Any, cc: Any = None) -> bool:
    """Whether a document is public. `to` and `cc` are its raw values: one, many or null."""
    return not PUBLIC_COLLECTION_IDS.isdisjoint((*ids_of(to), *ids_of(cc)))


def recipients(to: Any, cc: Any = None) -> tuple[str, ...]:
    """The ids of the addressed actors and collections, each once, without the public."""
    uris = dict.fromkeys((*ids_of(to), *ids_of(cc)))
    return tuple(uri for uri in uris if uri not in PUBLIC_COLLECTION_IDS)
