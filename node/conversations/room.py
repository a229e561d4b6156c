"""What comments and reactions contribute to the node."""

from node.conversations import (
    handlers,
    notifications,
    relevance,
    remote_comments,
    service,
    thread_fetcher,
    views,
)
from node.events import On
from node.federating.events import ActorDeleted
from node.projects.events import AudienceNarrowed
from node.room import Job, Room, Section

ROOM = Room(
    name="conversations",
    pages=(views.blueprint,),
    receives=(handlers.HANDLERS,),
    prefetch=(remote_comments.prefetch,),
    relevance=relevance,
    on=(
        On(AudienceNarrowed, service.WITHDRAW_COMMENTS.start),
        On(ActorDeleted, service.ERASE_COMMENTS.start),
    ),
    notifications=notifications.KINDS,
    jobs=(Job(thread_fetcher.JOB, thread_fetcher.run_job),),
    batched_writes=(service.WITHDRAW_COMMENTS.kind, service.ERASE_COMMENTS.kind),
    sections=(
        Section("project.conversation", views.render_section),
        Section("project.reactions", views.render_reactions),
    ),
)
