"""Locations of actors (ActivityStreams vocabulary, Place)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from federation.properties import JsonObject, get_text
from federation.vocabulary.context import drop_empty


@dataclass(frozen=True)
class Place:
    """A location: a name, such as a region's, and degrees north and east (WGS 84), if given."""

    name: str | None = None
    latitude: float | None = None
    longitude: float | None = None

    @classmethod
    def parse(cls, value: Any) -> Self | None:
        """Read the `location` of a document; None if it is not a Place."""
        if not isinstance(value, Mapping) or value.get("type") != "Place":
            return None
        latitude = _parse_degrees(value.get("latitude"), 90)
        longitude = _parse_degrees(value.get("longitude"), 180)
        if latitude is None or longitude is None:
            return cls(get_text(value, "name"))
        return cls(get_text(value, "name"), latitude, longitude)

    def dump(self) -> JsonObject:
        return drop_empty(
            {
                "type": "Place",
                "name": self.name,
                "latitude": self.latitude,
                "longitude": self.longitude,
            }
        )


def _parse_degrees(value: Any, limit: int) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # NaN fails the comparison.
    return float(value) if is_number and -limit <= value <= limit else None
