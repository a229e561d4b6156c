"""Lists the projects, councils and tags that a user follows."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from node.access.viewer import Viewer
from node.councils.models import Council
from node.notification_events.models import Watch
from node.projects import visibility as project_visibility
from node.projects.models import Project


@dataclass(frozen=True)
class FollowedItem:
    """What a user follows: a project, a council, or the tag of `watch`."""

    watch: Watch
    project: Project | None
    council: Council | None


def list_followed(session: Session, user_id: int, viewer: Viewer) -> Sequence[FollowedItem]:
    """All that a user follows and, as `viewer`, may still see, the latest first."""
    is_visible = project_visibility.is_visible_to(viewer, include_drafts=True)
    query = (
        select(Watch, Project, Council)
        .select_from(Watch)
        .outerjoin(Project, and_(Project.id == Watch.project_id, is_visible))
        .outerjoin(Council, Council.id == Watch.council_id)
        .where(Watch.user_id == user_id)
        .order_by(Watch.id.desc())
    )
    rows = [FollowedItem(*row) for row in session.execute(query)]
    return [item for item in rows if item.project or item.council or item.watch.tag]
