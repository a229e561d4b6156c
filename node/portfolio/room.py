"""What the portfolio contributes to the node."""

from node.portfolio import blueprint
from node.room import Room

ROOM = Room(name="portfolio", pages=(blueprint,))
