"""What feeds and open formats contribute to the node."""

from node.feeds import links, views
from node.room import Room, Section

ROOM = Room(
    name="feeds",
    pages=(views.blueprint,),
    sections=(Section("layout.head", links.render_links),),
)
