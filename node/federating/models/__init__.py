"""Rows of the federation. Rows with a state are the queues; `STATES` says how a row may move."""

from node.federating.models.actors import Actor, ActorKey, Block, Follow
from node.federating.models.peers import (
    Clock,
    Deleted,
    Peer,
    PeerList,
    Reaction,
    RefusalCount,
    Shared,
)
from node.federating.models.queues import (
    Backfill,
    Comparison,
    Delivery,
    DeliveryAttempt,
    Departure,
    InboxItem,
    OutboxActivity,
)
from node.federating.models.shapes import Queued, Stateful, Uri

__all__ = [
    "Actor",
    "ActorKey",
    "Backfill",
    "Block",
    "Clock",
    "Comparison",
    "Deleted",
    "Delivery",
    "DeliveryAttempt",
    "Departure",
    "Follow",
    "InboxItem",
    "OutboxActivity",
    "Peer",
    "PeerList",
    "Queued",
    "Reaction",
    "RefusalCount",
    "Shared",
    "Stateful",
    "Uri",
]
