"""What evidence packs contribute to the node."""

from node.evidence import views
from node.room import Room

ROOM = Room(name="evidence", pages=(views.blueprint,))
