"""What handing projects over contributes to the node."""

from node.handover import notifications, views
from node.room import Room, Section

ROOM = Room(
    name="handover",
    pages=(views.blueprint,),
    notifications=notifications.KINDS,
    sections=(Section("project.manage", views.render_section),),
)
