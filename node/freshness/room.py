"""What the freshness of projects contributes to the node."""

from node.freshness import notifications, service, views
from node.freshness.labels import FRESHNESS_LABELS, overdue_sentence
from node.room import Job, Room, Section

ROOM = Room(
    name="freshness",
    pages=(views.blueprint,),
    notifications=notifications.KINDS,
    jobs=(Job(service.JOB, service.run_job),),
    sections=(
        Section("project.status", views.render_section),
        Section("project.short_status", views.render_short),
    ),
    template_globals={"FRESHNESS_NAMES": FRESHNESS_LABELS, "review_was_due": overdue_sentence},
)
