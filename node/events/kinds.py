"""The kinds of things that people are told of. Each room has its own; `node.app` lists them all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from flask_babel import LazyString


class Topic(StrEnum):
    """What a person chooses how to hear of."""

    own = "own"
    asked = "asked"
    updates = "updates"
    projects = "projects"
    searches = "searches"


@dataclass(frozen=True)
class NotificationKind:
    """One kind of news.

    `sentence` says it, with `%(project)s`, `%(council)s`, `%(who)s` (who wrote the comment that it
    is about) and whatever `details` hold. `for_followers`: whoever follows the project, its council
    or a tag of it is told. `for_owner`: so is who looks after the project, as of their own.
    """

    name: str
    topic: Topic
    sentence: LazyString
    for_followers: bool = False
    for_owner: bool = False


def index_by_name(kinds: Iterable[NotificationKind]) -> Mapping[str, NotificationKind]:
    """Raises `ValueError` where two have the same name."""
    found: dict[str, NotificationKind] = {}
    for kind in kinds:
        if kind.name in found:
            raise ValueError(f"two kinds of news have the name {kind.name}")
        found[kind.name] = kind
    return found
