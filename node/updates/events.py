"""Events about updates."""

from dataclasses import dataclass

from node.events import Event


@dataclass(frozen=True)
class UpdateWritten(Event):
    """An update about a local project was published."""

    update_id: int


@dataclass(frozen=True)
class UpdateDeleted(Event):
    """An update about a local project was deleted."""

    update_id: int
