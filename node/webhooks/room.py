"""What webhooks contribute to the node."""

from node.events import On
from node.people.events import CredentialsRevoked
from node.projects.events import ProjectDeleted, ProjectPublished, ProjectUpdated
from node.room import Job, Room
from node.updates.events import UpdateWritten
from node.webhooks import delivery, service, views
from node.webhooks.models import WebhookMessage

ROOM = Room(
    name="webhooks",
    pages=(views.blueprint,),
    on=(
        On(ProjectPublished, service.on_project_event),
        On(ProjectUpdated, service.on_project_event),
        On(ProjectDeleted, service.on_project_event),
        On(UpdateWritten, service.on_update_written),
        On(CredentialsRevoked, service.on_credentials_revoked),
    ),
    jobs=(Job(WebhookMessage.JOB, delivery.run_job),),
    batched_writes=(service.REMOVE_WEBHOOK,),
    retention=delivery.RETENTION,
)
