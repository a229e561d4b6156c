"""What moderation contributes to the node."""

from node.moderation import remote_reports, views
from node.room import Room

ROOM = Room(name="moderation", pages=(views.blueprint,), receives=(remote_reports.HANDLERS,))
