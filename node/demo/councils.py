"""The councils of the demonstration. They, their people and their projects are invented."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from node.councils.founding import Founding
from node.projects import files
from node.projects.writing import Text
from node.settings import Settings

PASSWORD = "a moot hall of oak"  # noqa: S105 -- printed for whoever tries the demonstration
FOLDER = Path(__file__).parent / "projects"


@dataclass(frozen=True)
class DemoCouncil:
    """One council. `place` is its number, which gives its port."""

    place: int
    slug: str
    name: str
    colour: str
    operator: str
    officer: str

    def settings(self, folder: Path, first_port: int, councils: int) -> Settings:
        ports = range(first_port, first_port + councils)
        return Settings(
            base_url=f"http://localhost:{first_port + self.place}",
            data_dir=folder / self.slug,
            private_hosts=tuple(f"localhost:{port}" for port in ports),
            log_level="WARNING",
        )

    @property
    def founding(self) -> Founding:
        return Founding(
            name=self.name,
            slug=self.slug,
            colour=self.colour,
            gss_code="",
            person_name=self.operator,
            email=self.email("operator"),
            password=PASSWORD,
        )

    def email(self, role: str) -> str:
        return f"{role}@{self.slug}.example"

    def projects(self) -> Iterator[Text]:
        """What the council has published, in the order of the files' names."""
        for file in sorted((FOLDER / self.slug).glob("*.md")):
            yield files.read(file)


COUNCILS = (
    DemoCouncil(
        0, "aldermoor", "Aldermoor District Council", "#1d5b4f", "Priya Anand", "Tom Ellery"
    ),
    DemoCouncil(1, "brackwell", "Brackwell City Council", "#5b2a6e", "Megan Rees", "Dele Okafor"),
)
