"""What councils contribute to the node."""

from node.councils import council_moves, remote_councils, service, views
from node.events import On
from node.federating.events import ActorDeleted
from node.room import Room

ROOM = Room(
    name="councils",
    pages=(views.blueprint,),
    receives=(remote_councils.HANDLERS, council_moves.HANDLERS),
    on=(On(ActorDeleted, service.on_actor_deleted),),
    template_globals={"successor_of": views.successor_of},
)
