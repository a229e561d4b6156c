"""The councils of the demonstration. All councils, people and projects are fictitious."""

from dataclasses import dataclass
from pathlib import Path

from node.councils.first_run import FirstRunInput
from node.councils.models import Region
from node.councils.own_location import LocationInput
from node.demo.demo_projects import DemoProject, read_projects
from node.settings import Settings

DEMO_PASSWORD = "a moot hall of oak"  # noqa: S105 -- printed by the demonstration
PROJECTS_FOLDER = Path(__file__).parent / "projects"


@dataclass(frozen=True)
class DemoCouncil:
    """One council. `index` gives its port, counted from the first."""

    index: int
    slug: str
    name: str
    colour: str
    operator: str
    officer: str
    coordinator: str
    location: LocationInput

    def settings(self, folder: Path, first_port: int, councils: int) -> Settings:
        ports = range(first_port, first_port + councils)
        return Settings(
            base_url=f"http://localhost:{first_port + self.index}",
            data_dir=folder / self.slug,
            private_hosts=tuple(f"localhost:{port}" for port in ports),
            log_level="WARNING",
        )

    @property
    def first_run_input(self) -> FirstRunInput:
        return FirstRunInput(
            name=self.name,
            slug=self.slug,
            colour=self.colour,
            gss_code="",
            person_name=self.operator,
            email=self.email("operator"),
            password=DEMO_PASSWORD,
        )

    def email(self, role: str) -> str:
        return f"{role}@{self.slug}.example"

    def projects(self) -> list[DemoProject]:
        """What the council has published, oldest first."""
        return sorted(
            read_projects(PROJECTS_FOLDER / f"{self.slug}.yaml"),
            key=lambda project: -project.weeks_ago,
        )


COUNCILS = (
    DemoCouncil(
        0, "aldermoor", "Aldermoor District Council", "#1d5b4f",
        "Priya Anand", "Tom Ellery", "Sal Winter",
        LocationInput(Region.south_east.value, "51.45", "-1.1"),
    ),
    DemoCouncil(
        1, "brackwell", "Brackwell City Council", "#5b2a6e",
        "Megan Rees", "Dele Okafor", "Joan Hartley",
        LocationInput(Region.west_midlands.value, "52.5", "-1.9"),
    ),
    DemoCouncil(
        2, "glanwern", "Cyngor Sir Glanwern", "#8a1c2b",
        "Gwilym Rhys", "Elin Prys", "Mair Lloyd",
        LocationInput(Region.wales.value, "52.6", "-3.9"),
    ),
    DemoCouncil(
        3, "cragford", "Cragford County Council", "#1f3f77",
        "Asha Patel", "Ben Marsh", "Ruth Oyelaran",
        LocationInput(Region.north_west.value, "54.3", "-2.8"),
    ),
    DemoCouncil(
        4, "dunmere", "Dunmere Borough Council", "#7a4a00",
        "Noor Haddad", "Ines Duarte", "Paul Kerr",
        LocationInput(Region.east_england.value, "52.4", "0.9"),
    ),
)  # fmt: skip
