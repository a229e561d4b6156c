"""Whom a document is for (ActivityPub section 5.6 and 6.1)."""

from enum import StrEnum
from typing import Any

from federation.reading import ids_of

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
PUBLIC_NAMES = frozenset({PUBLIC, "as:Public", "Public"})


class Audience(StrEnum):
    """Who may read."""

    public = "public"
    followers = "followers"
    direct = "direct"


def is_public(to: Any, cc: Any = None) -> bool:
    """Whether everybody may read. `to` and `cc` as they stand in the document: one, many, null."""
    return not PUBLIC_NAMES.isdisjoint((*ids_of(to), *ids_of(cc)))


def recipients(to: Any, cc: Any = None) -> tuple[str, ...]:
    """The actors and collections it is addressed to, each once, without the public."""
    found = dict.fromkeys((*ids_of(to), *ids_of(cc)))
    return tuple(uri for uri in found if uri not in PUBLIC_NAMES)


def audience(to: Any, cc: Any, followers: str | None) -> Audience:
    """Who may read what is addressed so.

    `followers` is the id of the author's followers collection.
    """
    if is_public(to, cc):
        return Audience.public
    return Audience.followers if followers in recipients(to, cc) else Audience.direct
