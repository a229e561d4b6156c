"""The portfolio: all projects as a board, timeline, calendar, map, network and statistics."""

from node.portfolio import views, visualisation_views
from node.portfolio.blueprint import blueprint

__all__ = ["blueprint", "views", "visualisation_views"]
