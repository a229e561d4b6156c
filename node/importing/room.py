"""What importing files contributes to the node."""

from node.importing import views
from node.room import Room, Section

ROOM = Room(
    name="importing",
    pages=(views.blueprint,),
    sections=(Section("project.aside", views.render_section),),
)
