"""What the documents of plugins contribute to the node."""

from node.events import On
from node.federating.events import ActorDeleted
from node.plugin_documents import remote_documents, views, withdrawal
from node.projects.events import AudienceNarrowed
from node.room import Room

ROOM = Room(
    name="plugin_documents",
    pages=(views.blueprint,),
    on=(
        On(AudienceNarrowed, withdrawal.WITHDRAW_DOCUMENTS.start),
        On(ActorDeleted, remote_documents.ERASE_DOCUMENTS.start),
    ),
    batched_writes=(withdrawal.WITHDRAW_DOCUMENTS.kind, remote_documents.ERASE_DOCUMENTS.kind),
)
