"""The portfolio: what councils do, seen as a whole. Boards, times, places, ties and numbers."""

from node.portfolio import picture_views, views
from node.portfolio.blueprint import blueprint

__all__ = ["blueprint", "picture_views", "views"]
