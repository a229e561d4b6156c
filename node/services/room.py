"""What the list of council services contributes to the node."""

from node.room import Room
from node.services import views

ROOM = Room(
    name="services",
    pages=(views.blueprint,),
    template_globals={"service_name": views.get_service_name},
)
