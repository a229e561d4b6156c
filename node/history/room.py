"""What the history of projects contributes to the node."""

from node.history import views
from node.room import Room

ROOM = Room(name="history", pages=(views.blueprint,))
