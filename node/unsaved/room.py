"""What unsaved input contributes to the node."""

from node.room import Room, Section
from node.unsaved import service, views

ROOM = Room(
    name="unsaved",
    pages=(views.blueprint,),
    sections=(Section("layout.banner", views.render_banner),),
    template_globals={
        "keeps_input_here": views.keeps_input_here,
        "writer_here": views.writer_token,
    },
    retention=service.RETENTION,
)
