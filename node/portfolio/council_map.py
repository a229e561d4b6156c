"""The map: the places of councils and their numbers of projects, as an SVG drawing."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from node.councils.models import Council, Region
from node.federating.models import Actor, Follow
from node.portfolio.scope import PortfolioScope
from node.portfolio.uk_outline import COASTLINES, Coastline
from node.projects.models import Project

# More than there are councils in the country.
MAX_COUNCILS = 500
SOUTH, NORTH, WEST, EAST = 49.7, 61.0, -8.6, 2.0
PIXELS_PER_DEGREE = 70.0
# Length of a degree of longitude relative to one of latitude, at the middle of the UK.
LONGITUDE_SCALE = 0.58
WIDTH, HEIGHT = (
    round((EAST - WEST) * LONGITUDE_SCALE * PIXELS_PER_DEGREE),
    round((NORTH - SOUTH) * PIXELS_PER_DEGREE),
)
# Degrees at which lines of the grid are drawn.
PARALLELS, MERIDIANS = range(50, 61, 2), range(-8, 2, 2)


@dataclass(frozen=True)
class MapPlace:
    """A council with its number of projects; `number` identifies it on the map and in the table."""

    number: int
    council: Council
    projects: int

    @property
    def point(self) -> tuple[float, float] | None:
        """Its x and y on the map in pixels; None if unknown or outside the map."""
        north, east = self.council.latitude, self.council.longitude
        if north is None or east is None:
            return None
        return point(north, east) if SOUTH < north < NORTH and WEST < east < EAST else None


def point(north: float, east: float) -> tuple[float, float]:
    return round((east - WEST) * LONGITUDE_SCALE * PIXELS_PER_DEGREE, 1), round(
        (NORTH - north) * PIXELS_PER_DEGREE, 1
    )


def coastline_paths() -> list[str]:
    """The coastlines, as SVG paths."""
    return [path(shore) for shore in COASTLINES]


def path(shore: Coastline) -> str:
    points = (point(north, east) for north, east in shore)
    return f"M{' '.join(f'{x},{y}' for x, y in points)}z"


def list_councils(session: Session) -> list[Council]:
    """Our council and those that it follows, by name."""
    followed = exists().where(Follow.followed_id == Council.actor_id, Follow.state == "accepted")
    query = (
        select(Council)
        .join(Council.actor)
        .where(or_(Council.slug.is_not(None), followed), ~Actor.is_blocked)
        .order_by(func.lower(Council.name), Council.id)
    )
    return list(session.scalars(query.limit(MAX_COUNCILS)))


def count_by_council(session: Session, scope: PortfolioScope) -> dict[int, int]:
    """The number of projects by council id."""
    query = select(Project.council_id, func.count()).where(scope.condition(session))
    return dict(session.execute(query.group_by(Project.council_id)).all())


def build_places(session: Session, scope: PortfolioScope) -> list[MapPlace]:
    """All councils, numbered by name."""
    project_counts = count_by_council(session, scope)
    councils = list_councils(session)
    return [
        MapPlace(number, council, project_counts.get(council.id, 0))
        for number, council in enumerate(councils, start=1)
    ]


def summarise_regions(places: list[MapPlace]) -> Iterator[tuple[Region, int, int]]:
    """Yield each region with its numbers of councils and projects."""
    for region in Region:
        in_region = [place for place in places if place.council.region is region]
        yield region, len(in_region), sum(place.projects for place in in_region)
