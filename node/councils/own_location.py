"""The operator of a council says where it is: its region, and a point on the map."""

import re
from dataclasses import dataclass

from node.councils.models import Council, Region
from node.councils.service import publish_actor_update, require_own
from node.errors import InvalidInputError
from node.messages import Message, msg
from node.runtime import UnitOfWork

# The edges of the United Kingdom, in degrees.
LATITUDE_RANGE, LONGITUDE_RANGE = (49.8, 60.9), (-8.7, 1.8)
# As typographers write it, and who copies from them.
MINUS_SIGN = "\u2212"
DEGREES = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{1,10})?")


@dataclass(frozen=True)
class LocationInput:
    """What a person writes: each may be empty; `region` is a word of `Region`."""

    region: str = ""
    latitude: str = ""
    longitude: str = ""


def set_location(work: UnitOfWork, said: LocationInput) -> None:
    """Our council is there; whoever follows it hears of it. Raises `InvalidInputError`."""
    wrong: dict[str, Message] = {}
    council = require_own(work.session)
    region = Region(said.region) if said.region in list(Region) else None
    if said.region and region is None:
        wrong["region"] = msg("Select a region or country")
    north = _parse_degrees(said.latitude, LATITUDE_RANGE)
    east = _parse_degrees(said.longitude, LONGITUDE_RANGE)
    if said.latitude.strip() and north is None:
        wrong["latitude"] = msg("Latitude must be within the United Kingdom, such as 50.72")
    if said.longitude.strip() and east is None:
        wrong["longitude"] = msg("Longitude must be within the United Kingdom, such as -3.53")
    if bool(said.latitude.strip()) != bool(said.longitude.strip()):
        missing = "longitude" if said.latitude.strip() else "latitude"
        wrong.setdefault(missing, msg("Enter both latitude and longitude, or leave both empty"))
    if wrong:
        raise InvalidInputError(msg("The council’s location could not be saved."), wrong)
    council.region, council.latitude, council.longitude = region, north, east
    publish_actor_update(work)
    work.audit("council.place", council.actor.uri, region=said.region)


def to_input(council: Council) -> LocationInput:
    """Where a council is, as its operator would write it."""
    if council.latitude is None or council.longitude is None:
        return LocationInput(council.region or "")
    return LocationInput(council.region or "", f"{council.latitude:g}", f"{council.longitude:g}")


def _parse_degrees(text: str, between: tuple[float, float]) -> float | None:
    text = text.strip().replace(MINUS_SIGN, "-")
    if not DEGREES.fullmatch(text) or not between[0] <= float(text) <= between[1]:
        return None
    return float(text)
