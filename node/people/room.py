"""What people contribute to the node: accounts and their sessions."""

from node.access.permissions import has_permission
from node.people import sessions
from node.room import Room

ROOM = Room(
    name="people",
    template_globals={"may": has_permission},
    retention=sessions.RETENTION,
)
