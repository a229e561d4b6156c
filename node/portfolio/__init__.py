"""The portfolio: what councils do, seen as a whole. Boards, times, places, ties and numbers."""

from node.portfolio import views, visualisation_views
from node.portfolio.blueprint import blueprint

__all__ = ["blueprint", "views", "visualisation_views"]
