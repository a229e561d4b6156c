"""What the public profiles of officers contribute to the node."""

from node.events import On
from node.officers import announcements, service, views
from node.projects.events import AudienceNarrowed
from node.room import Room
from node.updates.events import UpdateDeleted, UpdateWritten

ROOM = Room(
    name="officers",
    pages=(views.blueprint,),
    on=(
        On(UpdateWritten, announcements.announce_update),
        On(UpdateDeleted, announcements.undo_announcement),
        On(AudienceNarrowed, announcements.WITHDRAW_ANNOUNCEMENTS.start),
    ),
    batched_writes=(service.WITHDRAW_OFFICER, announcements.WITHDRAW_ANNOUNCEMENTS.kind),
    template_globals={"writers_of": views.writers_of},
)
