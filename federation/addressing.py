"""Whom a document is for (ActivityPub section 5.6 and 6.1)."""

from typing import Any, TypedDict

from federation.properties import ids_of

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
PUBLIC_NAMES = frozenset({PUBLIC, "as:Public", "Public"})


class Addressed(TypedDict):
    """For whom something is: the arguments `to` and `cc` of what makes documents."""

    to: tuple[str, ...]
    cc: tuple[str, ...]


def is_public(to: Any, cc: Any = None) -> bool:
    """Whether everybody may read. `to` and `cc` as they stand in the document: one, many, null."""
    return not PUBLIC_NAMES.isdisjoint((*ids_of(to), *ids_of(cc)))


def recipients(to: Any, cc: Any = None) -> tuple[str, ...]:
    """The actors and collections it is addressed to, each once, without the public."""
    found = dict.fromkeys((*ids_of(to), *ids_of(cc)))
    return tuple(uri for uri in found if uri not in PUBLIC_NAMES)
