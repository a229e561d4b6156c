"""What drafts and their review contribute to the node."""

from node.drafts import notifications, views
from node.room import Room, Section

ROOM = Room(
    name="drafts",
    pages=(views.blueprint,),
    notifications=notifications.KINDS,
    sections=(Section("project.manage", views.render_section),),
)
