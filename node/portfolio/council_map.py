"""The map: where the councils are that have projects here."""

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
# How much narrower a degree of longitude is than one of latitude, in the middle of the country.
LONGITUDE_SCALE = 0.58
WIDTH, HEIGHT = (
    round((EAST - WEST) * LONGITUDE_SCALE * PIXELS_PER_DEGREE),
    round((NORTH - SOUTH) * PIXELS_PER_DEGREE),
)
# Names that help to find one's way, where there is room for them: at sea.
PARALLELS, MERIDIANS = range(50, 61, 2), range(-8, 2, 2)


@dataclass(frozen=True)
class MapPlace:
    """A council, by the number that it has in picture and table, with how many projects it has."""

    number: int
    council: Council
    projects: int

    @property
    def point(self) -> tuple[float, float] | None:
        """Where it is in the picture; None where that is not known, or far away."""
        north, east = self.council.latitude, self.council.longitude
        if north is None or east is None:
            return None
        return point(north, east) if SOUTH < north < NORTH and WEST < east < EAST else None


def point(north: float, east: float) -> tuple[float, float]:
    return round((east - WEST) * LONGITUDE_SCALE * PIXELS_PER_DEGREE, 1), round(
        (NORTH - north) * PIXELS_PER_DEGREE, 1
    )


def shores() -> list[str]:
    """The outline, as paths of SVG."""
    return [path(shore) for shore in COASTLINES]


def path(shore: Coastline) -> str:
    return f"M{' '.join(f'{x},{y}' for x, y in (point(*each) for each in shore))}z"


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
    """How many projects each council has, by the number of its row."""
    query = select(Project.council_id, func.count()).where(scope.condition(session))
    return dict(session.execute(query.group_by(Project.council_id)).all())


def build_places(session: Session, scope: PortfolioScope) -> list[MapPlace]:
    """All councils, numbered by name."""
    having = count_by_council(session, scope)
    councils = list_councils(session)
    return [
        MapPlace(number, council, having.get(council.id, 0))
        for number, council in enumerate(councils, start=1)
    ]


def summarise_regions(places: list[MapPlace]) -> Iterator[tuple[Region, int, int]]:
    """Each region with the councils and the projects in it."""
    for region in Region:
        there = [place for place in places if place.council.region is region]
        yield region, len(there), sum(place.projects for place in there)
