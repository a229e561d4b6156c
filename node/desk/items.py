"""What stands on a desk: what waits for one person, each with the one thing to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from node.plugin_declarations import DeskStep, Label
from node.projects.models import Project

# So much of one kind is shown; of the rest, how many there are.
MAX_PER_SECTION = 10


@dataclass(frozen=True)
class DeskItem:
    """One thing. `at` is when it began to wait, or the day on which it fell due; `who` is whom it
    is about, `words` what they said, `token` the name of what it is about, beside the project or
    in place of one, and `number` how many there are. `step` is what a plugin has for a person.
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
    """What waits of one kind, the first `MOST` of `total`. `kind` names how the page shows it; what
    a plugin has stands under its own `heading`.
    """

    kind: str
    items: Sequence[DeskItem] = field(default_factory=list)
    total: int = 0
    heading: Label = ""

    @property
    def more(self) -> int:
        """How many of them are not among `items`."""
        return self.total - sum(item.number or 1 for item in self.items)
