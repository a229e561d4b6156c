"""The location of our own council, set by its operator: a region and a point on the map."""

import re
from dataclasses import dataclass

from node.councils.models import Council, Region
from node.councils.service import publish_actor_update, require_own
from node.errors import InvalidInputError
from node.messages import Message, msg
from node.runtime import UnitOfWork

# The bounds of the United Kingdom, in degrees.
LATITUDE_RANGE, LONGITUDE_RANGE = (49.8, 60.9), (-8.7, 1.8)
# Accepted instead of a hyphen, since people paste it.
MINUS_SIGN = "\u2212"
DEGREES = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{1,10})?")


@dataclass(frozen=True)
class LocationInput:
    """The values as typed, any of which may be empty. `region` is a value of `Region`."""

    region: str = ""
    latitude: str = ""
    longitude: str = ""


def set_location(work: UnitOfWork, location: LocationInput) -> None:
    """Set the location of our council and send it to our followers. Raises `InvalidInputError`."""
    field_errors: dict[str, Message] = {}
    council = require_own(work.session)
    region = Region(location.region) if location.region in list(Region) else None
    if location.region and region is None:
        field_errors["region"] = msg("Select a region or country")
    latitude = _parse_degrees(location.latitude, LATITUDE_RANGE)
    longitude = _parse_degrees(location.longitude, LONGITUDE_RANGE)
    if location.latitude.strip() and latitude is None:
        field_errors["latitude"] = msg("Latitude must be within the United Kingdom, such as 50.72")
    if location.longitude.strip() and longitude is None:
        field_errors["longitude"] = msg(
            "Longitude must be within the United Kingdom, such as -3.53"
        )
    if bool(location.latitude.strip()) != bool(location.longitude.strip()):
        missing = "longitude" if location.latitude.strip() else "latitude"
        field_errors.setdefault(
            missing, msg("Enter both latitude and longitude, or leave both empty")
        )
    if field_errors:
        raise InvalidInputError(msg("The council’s location could not be saved."), field_errors)
    council.region, council.latitude, council.longitude = region, latitude, longitude
    publish_actor_update(work)
    work.audit("council.place", council.actor.uri, region=location.region)


def to_input(council: Council) -> LocationInput:
    """The location of a council as form input."""
    if council.latitude is None or council.longitude is None:
        return LocationInput(council.region or "")
    return LocationInput(council.region or "", f"{council.latitude:g}", f"{council.longitude:g}")


def _parse_degrees(text: str, bounds: tuple[float, float]) -> float | None:
    text = text.strip().replace(MINUS_SIGN, "-")
    if not DEGREES.fullmatch(text) or not bounds[0] <= float(text) <= bounds[1]:
        return None
    return float(text)
