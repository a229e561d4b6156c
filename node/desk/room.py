"""What the desk contributes to the node."""

from node.desk import views
from node.room import Room, Section

ROOM = Room(
    name="desk",
    pages=(views.blueprint,),
    sections=(Section("home.status", views.render_waiting),),
)
