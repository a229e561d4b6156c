"""Where an actor is (ActivityStreams vocabulary, Place)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from federation.properties import JsonObject, get_text
from federation.vocabulary.context import drop_empty


@dataclass(frozen=True)
class Place:
    """A name, such as that of a region, and degrees north and east (WGS 84) where both are told."""

    name: str | None = None
    latitude: float | None = None
    longitude: float | None = None

    @classmethod
    def parse(cls, value: Any) -> Self | None:
        """The place that a document's `location` is; None for what is none."""
        if not isinstance(value, Mapping) or value.get("type") != "Place":
            return None
        north = _parse_degrees(value.get("latitude"), 90)
        east = _parse_degrees(value.get("longitude"), 180)
        if north is None or east is None:
            return cls(get_text(value, "name"))
        return cls(get_text(value, "name"), north, east)

    def dump(self) -> JsonObject:
        return drop_empty(
            {
                "type": "Place",
                "name": self.name,
                "latitude": self.latitude,
                "longitude": self.longitude,
            }
        )


def _parse_degrees(value: Any, most: int) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # No number that is none is within anything.
    return float(value) if is_number and -most <= value <= most else None
