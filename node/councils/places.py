"""Where councils are: the regions by name, and the place in a council's document."""

from collections.abc import Mapping
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from federation.vocabulary import Place
from node.councils.models import Council, Region

# What a region is called in documents: names that other software can show.
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
    """The place that the document of our own council names."""
    if council.region is None and council.latitude is None:
        return None
    name = REGION_NAMES[council.region] if council.region else None
    return Place(name, council.latitude, council.longitude)


def parse_place(document: Place | None) -> dict[str, Any]:
    """Where another council says it is, as the columns of its row. Other names than ours are
    none.
    """
    named = {name: region for region, name in REGION_NAMES.items()}
    found = document or Place()
    return {
        "region": named.get(found.name or ""),
        "latitude": found.latitude,
        "longitude": found.longitude,
    }
