"""The tables of the federation. Rows with a state are queues; `STATES` lists the allowed
transitions.
"""

from node.federating.models.actors import Actor, ActorKey, Block, Follow
from node.federating.models.peers import (
    ClockReading,
    Disclosure,
    Peer,
    PeerList,
    Reaction,
    RefusalCount,
    RemoteTombstone,
)
from node.federating.models.queues import (
    ActorDeletion,
    Backfill,
    Comparison,
    Delivery,
    DeliveryAttempt,
    InboxItem,
    OutboxActivity,
)

__all__ = [
    "Actor",
    "ActorDeletion",
    "ActorKey",
    "Backfill",
    "Block",
    "ClockReading",
    "Comparison",
    "Delivery",
    "DeliveryAttempt",
    "Disclosure",
    "Follow",
    "InboxItem",
    "OutboxActivity",
    "Peer",
    "PeerList",
    "Reaction",
    "RefusalCount",
    "RemoteTombstone",
]
