"""What the pages that belong to no other room contribute to the node."""

from node.room import Room
from node.web import pages, redirects

ROOM = Room(name="web", pages=(pages.blueprint, redirects.blueprint))
