"""Locations of councils: names of regions, and conversion to and from a document's Place."""

from collections.abc import Mapping
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from federation.vocabulary import Place
from node.councils.models import Council, Region

# Names of regions in documents, in English, which other software can show.
REGION_NAMES: Mapping[Region, str] = {
    Region.north_east: "North East",
    Region.north_west: "North West",
    Region.yorkshire_humber: "Yorkshire and The Humber",
    Region.east_midlands: "East Midlands",
    Region.west_midlands: "West Midlands",
    Region.east_england: "East of England",
    Region.london: "London",
    Region.south_east: "South East",
    Region.south_west: "South West",
    Region.wales: "Wales",
    Region.scotland: "Scotland",
    Region.northern_ireland: "Northern Ireland",
}
REGION_LABELS: Mapping[Region, LazyString] = {
    Region.north_east: _l("North East"),
    Region.north_west: _l("North West"),
    Region.yorkshire_humber: _l("Yorkshire and The Humber"),
    Region.east_midlands: _l("East Midlands"),
    Region.west_midlands: _l("West Midlands"),
    Region.east_england: _l("East of England"),
    Region.london: _l("London"),
    Region.south_east: _l("South East"),
    Region.south_west: _l("South West"),
    Region.wales: _l("Wales"),
    Region.scotland: _l("Scotland"),
    Region.northern_ireland: _l("Northern Ireland"),
}


def to_place(council: Council) -> Place | None:
    """The location of our council for its document; None if it has not been set."""
    if council.region is None and council.latitude is None:
        return None
    name = REGION_NAMES[council.region] if council.region else None
    return Place(name, council.latitude, council.longitude)


def parse_place(document: Place | None) -> dict[str, Any]:
    """The location columns of a remote council, from its document. Unknown regions become None."""
    regions = {name: region for region, name in REGION_NAMES.items()}
    place = document or Place()
    return {
        "region": regions.get(place.name or ""),
        "latitude": place.latitude,
        "longitude": place.longitude,
    }
