"""What statements that projects meet the same need contribute to the node."""

from node.events import On
from node.federating.events import ActorDeleted
from node.room import Room, Section
from node.same_need import service, views

ROOM = Room(
    name="same_need",
    pages=(views.blueprint,),
    receives=(service.HANDLERS,),
    on=(On(ActorDeleted, service.on_actor_deleted),),
    sections=(Section("project.similar", views.render_section),),
)
