"""What notifications and email digests contribute to the node."""

from node.notifications import (
    email_digests,
    fan_out,
    following_views,
    models,
    views,
)
from node.notifications.digest_renderer import TemplateDigestRenderer
from node.room import Job, Room, Section
from node.runtime import Node


def _send_digests(node: Node) -> None:
    email_digests.run_job(node, TemplateDigestRenderer(node))


ROOM = Room(
    name="notifications",
    pages=(views.blueprint,),
    csrf_exempt=(views.unsubscribe,),
    jobs=(
        Job(fan_out.JOB, fan_out.run_job, fan_out.COALESCE_SECONDS),
        Job(email_digests.JOB, _send_digests),
    ),
    sections=(
        Section("project.aside", following_views.follow_project_button),
        Section("council.aside", following_views.follow_council_button),
    ),
    retention=models.RETENTION,
)
