"""The pages and words with which an operator looks after the node."""

from node.operating import seeing_views, server_lists, views
from node.operating.blueprint import OPERATE, blueprint

__all__ = ["OPERATE", "blueprint", "seeing_views", "server_lists", "views"]
