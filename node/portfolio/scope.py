"""Which projects a picture is of, and for whom."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from node.federating.readers import ANYBODY, Reader
from node.search import narrowing
from node.search.wanted import Wanted

EVERYTHING = Wanted()


@dataclass(frozen=True)
class Scope:
    """What `reader` may see of what is `wanted`."""

    reader: Reader = ANYBODY
    wanted: Wanted = EVERYTHING

    def condition(self, session: Session) -> ColumnElement[bool]:
        """The same, for a query on projects."""
        return narrowing.condition(session, self.wanted, self.reader)


def of_council(reader: Reader, council_id: int) -> Scope:
    """The projects of one council."""
    return Scope(reader, Wanted(council=council_id))
