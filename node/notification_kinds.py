"""Kinds of events that users are notified of. Rooms define them; `node.app` collects them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from flask_babel import LazyString


class Topic(StrEnum):
    """A group of event kinds for which a user chooses how to be notified."""

    own = "own"
    asked = "asked"
    updates = "updates"
    projects = "projects"
    searches = "searches"


@dataclass(frozen=True)
class NotificationKind:
    """One kind of event.

    `sentence` words it, with the placeholders `%(project)s`, `%(council)s`, `%(who)s` (the author
    of the comment) and the event's `details`. `notifies_followers` notifies the followers of the
    project, its council or its tags; `notifies_owner` the owner of the project, with `Topic.own`.
    """

    name: str
    topic: Topic
    sentence: LazyString
    notifies_followers: bool = False
    notifies_owner: bool = False


def index_by_name(kinds: Iterable[NotificationKind]) -> Mapping[str, NotificationKind]:
    """The kinds by name. Raises `ValueError` if two have the same name."""
    by_name: dict[str, NotificationKind] = {}
    for kind in kinds:
        if kind.name in by_name:
            raise ValueError(f"two kinds of notifications have the name {kind.name}")
        by_name[kind.name] = kind
    return by_name
