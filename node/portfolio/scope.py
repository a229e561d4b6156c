"""The scope of a portfolio page: which projects it covers, and for which viewer."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from node.access.viewer import ANONYMOUS, Viewer
from node.search import sql_filters
from node.search.search_params import SearchParams

NO_FILTERS = SearchParams()


@dataclass(frozen=True)
class PortfolioScope:
    """The projects that a search finds and that `viewer` may see."""

    viewer: Viewer = ANONYMOUS
    search_params: SearchParams = NO_FILTERS

    def condition(self, session: Session) -> ColumnElement[bool]:
        """The scope as an SQL condition on projects."""
        return sql_filters.to_visible_condition(session, self.search_params, self.viewer)


def council_scope(viewer: Viewer, council_id: int) -> PortfolioScope:
    """The projects of one council."""
    return PortfolioScope(viewer, SearchParams(council=council_id))
