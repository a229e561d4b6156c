"""Events of the federation."""

from dataclasses import dataclass

from node.events import Event


@dataclass(frozen=True)
class ActorDeleted(Event):
    """The account of a remote actor was deleted: its content is to be removed here."""

    actor_id: int
