"""What the activities of each type are and carry: the one table that every part of a server asks.

A type that is not in the table, such as the `Offer` of a plugin, is treated as `ActivityType(name)`
says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

ACCEPT, REJECT = "Accept", "Reject"
ADD, REMOVE = "Add", "Remove"
ANNOUNCE, LIKE = "Announce", "Like"
BLOCK, FLAG, FOLLOW, MOVE = "Block", "Flag", "Follow", "Move"
CREATE, UPDATE, DELETE = "Create", "Update", "Delete"
UNDO = "Undo"


class Concerns(Enum):
    """What decides who handles an activity: the thing that its `object` is.

    `object`: the object as it is described. `stored_object`: an object that the receiver stores.
    `sent_activity`: an activity that the receiver sent. `received_activity`: an activity that the
    receiver got earlier from the same actor.
    """

    object = "object"
    stored_object = "stored_object"
    sent_activity = "sent_activity"
    received_activity = "received_activity"


class Fetch(Enum):
    """What the receiver fetches before it acts.

    `untrusted_object`: the object, unless it is embedded and belongs to the actor.
    `embedded_object`: an object that is embedded, unless its own author has signed it; a bare id is
    not fetched. `target`: the object's new place.
    """

    nothing = "nothing"
    untrusted_object = "untrusted_object"
    embedded_object = "embedded_object"
    target = "target"


@dataclass(frozen=True)
class ActivityType:
    """How activities of one type are treated.

    When one is received:
    `concerns`: what decides who handles it. `fetch`: what is fetched first. `has_own_object`: the
    object must have the actor's origin. `is_shown_by_object`: the object at its origin shows what
    the activity says, so one that is forwarded without a proof can be checked there.
    `is_retraction`: accepted from blocked actors too, since it only takes back. `is_request`: sent
    again, under the same id, until it is answered. `is_reaction`: says what its actor thinks of an
    object that the receiver may not have.

    When one is sent:
    `shares_object`: the receiver learns of an object of ours, which may have to be withdrawn later.
    `publishes_object`: it is read by those who may see its object, and withdrawn with it.
    `is_for_followers`: it goes to followers, with the digest of them (FEP-8fcf).
    `must_reach_all`: every server that has the object must get it, however long that takes.
    `wraps_activity`: its object may be another activity, after which it must arrive.
    """

    name: str
    concerns: Concerns = Concerns.object
    fetch: Fetch = Fetch.nothing
    has_own_object: bool = False
    is_shown_by_object: bool = False
    is_retraction: bool = False
    is_request: bool = False
    is_reaction: bool = False
    shares_object: bool = True
    publishes_object: bool = False
    is_for_followers: bool = False
    must_reach_all: bool = False
    wraps_activity: bool = False

    @property
    def brings_object(self) -> bool:
        """Whether its object is a document that is stored or replaces the stored one."""
        return self.fetch is Fetch.untrusted_object

    @property
    def is_answer(self) -> bool:
        """Whether it answers an activity that the receiver sent."""
        return self.concerns is Concerns.sent_activity


ACTIVITY_TYPES = {
    row.name: row
    for row in (
        # `object`: the new document, embedded.
        ActivityType(
            CREATE,
            fetch=Fetch.untrusted_object,
            is_shown_by_object=True,
            publishes_object=True,
            is_for_followers=True,
        ),
        # `object`: the new version of a document, or of the actor itself, embedded.
        ActivityType(
            UPDATE,
            concerns=Concerns.stored_object,
            fetch=Fetch.untrusted_object,
            has_own_object=True,
            is_shown_by_object=True,
            publishes_object=True,
            is_for_followers=True,
        ),
        # `object`: the id of what was deleted, or its Tombstone.
        ActivityType(
            DELETE,
            concerns=Concerns.stored_object,
            has_own_object=True,
            is_shown_by_object=True,
            is_retraction=True,
            shares_object=False,
            is_for_followers=True,
            must_reach_all=True,
        ),
        # `object`: the actor's own earlier activity, embedded or by its id.
        ActivityType(
            UNDO,
            concerns=Concerns.received_activity,
            is_retraction=True,
            shares_object=False,
            wraps_activity=True,
        ),
        # `object`: the answered activity, embedded or by its id; `result`: what came of it.
        ActivityType(ACCEPT, concerns=Concerns.sent_activity, shares_object=False),
        ActivityType(REJECT, concerns=Concerns.sent_activity, shares_object=False),
        # `object`: the id of an actor.
        ActivityType(FOLLOW, is_request=True, shares_object=False),
        ActivityType(BLOCK, shares_object=False),
        # `object`: the id of the actor itself; `target`: its new id.
        ActivityType(MOVE, fetch=Fetch.target, shares_object=False),
        # `object`: the ids of an actor and of its posts; `content`: the reason.
        ActivityType(FLAG, shares_object=False),
        # `object`: the id of what is liked.
        ActivityType(LIKE, is_reaction=True, shares_object=False),
        # `object`: the id of what is shared, or an activity or object of another actor, embedded.
        ActivityType(
            ANNOUNCE,
            fetch=Fetch.embedded_object,
            is_reaction=True,
            publishes_object=True,
            wraps_activity=True,
        ),
        # `object`: the id of the item; `target`: what it is added to or removed from.
        ActivityType(ADD),
        ActivityType(REMOVE),
    )
}


def activity_type(name: str) -> ActivityType:
    """How activities of the type `name` are treated."""
    return ACTIVITY_TYPES.get(name) or ActivityType(name)


def names_of_types(condition: Callable[[ActivityType], bool]) -> tuple[str, ...]:
    """The names of the types in the table that meet a condition, for a query of the database."""
    return tuple(name for name, row in ACTIVITY_TYPES.items() if condition(row))


# The types that bring a version of an object.
VERSION_TYPES = names_of_types(lambda row: row.brings_object)
