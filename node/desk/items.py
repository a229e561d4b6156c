"""The items on a user's desk, grouped in sections by kind."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from node.plugin_api.declarations import DeskStep, Label
from node.projects.models import Project

# Items shown in a section; the number of the rest is shown instead.
MAX_PER_SECTION = 10


@dataclass(frozen=True)
class DeskItem:
    """One thing to do. `at` is when it began to wait, or when it was due; `who` is the person it is
    about, `words` a quotation from them. `token` identifies the subject, in addition to the project
    or instead of one. `number` counts things that share the item. `step` is a plugin's.
    """

    project: Project | None = None
    at: date | datetime | None = None
    who: str = ""
    words: str = ""
    token: str = ""
    number: int = 0
    step: DeskStep | None = None


@dataclass(frozen=True)
class DeskSection:
    """The items of one kind, the first `MAX_PER_SECTION` of `total`. `kind` decides how the page
    shows them; a plugin's section has its own `heading`.
    """

    kind: str
    items: Sequence[DeskItem] = field(default_factory=list)
    total: int = 0
    heading: Label = ""

    @property
    def more(self) -> int:
        """The number of items that are not shown."""
        return self.total - sum(item.number or 1 for item in self.items)
