"""The operator of a council says where it is: its region, and a point on the map."""

import re
from dataclasses import dataclass

from node.councils.models import Council, Region
from node.councils.service import require_own, tell
from node.errors import InvalidInputError
from node.runtime import UnitOfWork
from node.wording import Saying, say

# The edges of the United Kingdom, in degrees.
NORTH, EAST = (49.8, 60.9), (-8.7, 1.8)
# As typographers write it, and who copies from them.
MINUS = "\u2212"
DEGREES = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{1,10})?")


@dataclass(frozen=True)
class Whereabouts:
    """What a person writes: each may be empty; `region` is a word of `Region`."""

    region: str = ""
    latitude: str = ""
    longitude: str = ""


def place(work: UnitOfWork, said: Whereabouts) -> None:
    """Our council is there; whoever follows it hears of it. Raises `InvalidInputError`."""
    wrong: dict[str, Saying] = {}
    council = require_own(work.session)
    region = Region(said.region) if said.region in list(Region) else None
    if said.region and region is None:
        wrong["region"] = say("Select a region or country")
    north = _degrees(said.latitude, NORTH)
    east = _degrees(said.longitude, EAST)
    if said.latitude.strip() and north is None:
        wrong["latitude"] = say("Latitude must be within the United Kingdom, such as 50.72")
    if said.longitude.strip() and east is None:
        wrong["longitude"] = say("Longitude must be within the United Kingdom, such as -3.53")
    if bool(said.latitude.strip()) != bool(said.longitude.strip()):
        missing = "longitude" if said.latitude.strip() else "latitude"
        wrong.setdefault(missing, say("Enter both latitude and longitude, or leave both empty"))
    if wrong:
        raise InvalidInputError(say("The council’s location could not be saved."), wrong)
    council.region, council.latitude, council.longitude = region, north, east
    tell(work)
    work.audit("council.place", council.actor.uri, region=said.region)


def whereabouts(council: Council) -> Whereabouts:
    """Where a council is, as its operator would write it."""
    if council.latitude is None or council.longitude is None:
        return Whereabouts(council.region or "")
    return Whereabouts(council.region or "", f"{council.latitude:g}", f"{council.longitude:g}")


def _degrees(text: str, between: tuple[float, float]) -> float | None:
    text = text.strip().replace(MINUS, "-")
    if not DEGREES.fullmatch(text) or not between[0] <= float(text) <= between[1]:
        return None
    return float(text)
