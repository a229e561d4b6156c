"""What updates about projects contribute to the node."""

from node.events import On
from node.projects.events import AudienceNarrowed
from node.room import Room, Section
from node.updates import notifications, remote_updates, service, views

ROOM = Room(
    name="updates",
    pages=(views.blueprint,),
    receives=(remote_updates.HANDLERS,),
    on=(On(AudienceNarrowed, service.WITHDRAW_UPDATES.start),),
    notifications=notifications.KINDS,
    batched_writes=(service.WITHDRAW_UPDATES.kind,),
    sections=(Section("project.updates", views.render_section),),
)
