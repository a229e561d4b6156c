"""What comments and reactions contribute to the node."""

from node.conversations import (
    notifications,
    reaction_service,
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
    receives=(
        remote_comments.HANDLERS,
        reaction_service.HANDLERS,
        remote_comments.FALLBACK_HANDLERS,
    ),
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
