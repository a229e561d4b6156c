"""Which projects a picture is of, and for whom."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from node.federating.viewer import ANONYMOUS, Viewer
from node.search import sql_filters
from node.search.search_params import SearchParams

EVERYTHING = SearchParams()


@dataclass(frozen=True)
class PortfolioScope:
    """What `reader` may see of what is `wanted`."""

    reader: Viewer = ANONYMOUS
    search_params: SearchParams = EVERYTHING

    def condition(self, session: Session) -> ColumnElement[bool]:
        """The same, for a query on projects."""
        return sql_filters.to_visible_condition(session, self.search_params, self.reader)


def scope_of_council(reader: Viewer, council_id: int) -> PortfolioScope:
    """The projects of one council."""
    return PortfolioScope(reader, SearchParams(council=council_id))
