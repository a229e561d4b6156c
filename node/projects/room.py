"""What projects contribute to the node."""

from node.events import On
from node.federating.events import ActorDeleted
from node.projects import (
    adoption_service,
    group_views,
    merging,
    notifications,
    relation_views,
    relations,
    remote_projects,
    section_views,
    taxonomy,
    views,
)
from node.projects.forms import PHASE_LABELS
from node.room import Job, Room

ROOM = Room(
    name="projects",
    pages=(
        views.blueprint,
        section_views.blueprint,
        relation_views.blueprint,
        group_views.blueprint,
    ),
    receives=(remote_projects.HANDLERS, adoption_service.HANDLERS),
    on=(
        On(ActorDeleted, remote_projects.ERASE_PROJECTS.start),
        On(ActorDeleted, adoption_service.ERASE_ADOPTIONS.start),
    ),
    notifications=notifications.KINDS,
    jobs=(Job(relations.MERGING_JOB, merging.run_job),),
    batched_writes=(remote_projects.ERASE_PROJECTS.kind, adoption_service.ERASE_ADOPTIONS.kind),
    template_globals={
        "PHASES": PHASE_LABELS,
        "subjects": taxonomy,
        "drafts_are_published_at_once": views.can_publish_directly,
    },
)
