"""Where an actor is (ActivityStreams vocabulary, Place)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from federation.reading import Document, text
from federation.vocabulary.context import present


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
        north = _degrees(value.get("latitude"), 90)
        east = _degrees(value.get("longitude"), 180)
        if north is None or east is None:
            return cls(text(value, "name"))
        return cls(text(value, "name"), north, east)

    def dump(self) -> Document:
        return present(
            {
                "type": "Place",
                "name": self.name,
                "latitude": self.latitude,
                "longitude": self.longitude,
            }
        )


def _degrees(value: Any, most: int) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # No number that is none is within anything.
    return float(value) if is_number and -most <= value <= most else None
