"""Which projects a picture is of, and for whom."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, select

from node.councils.models import Council
from node.federating.readers import ANYBODY, Reader
from node.projects import service as projects
from node.projects.models import Phase, Project

ORIGINS = ("all", "ours", "others")


@dataclass(frozen=True)
class Scope:
    """What `reader` may see, of all councils or some. `origin` is all, ours or others."""

    reader: Reader = ANYBODY
    origin: str = "all"
    council_id: int | None = None
    phase: Phase | None = None

    def condition(self) -> ColumnElement[bool]:
        """The same, for a query on projects."""
        chosen = [projects.visible(self.reader)]
        if self.council_id is not None:
            chosen.append(Project.council_id == self.council_id)
        if self.phase is not None:
            chosen.append(Project.phase == self.phase)
        if self.origin != "all":
            is_ours = Project.council_id.in_(select(Council.id).where(Council.slug.is_not(None)))
            chosen.append(is_ours if self.origin == "ours" else ~is_ours)
        return and_(*chosen)
