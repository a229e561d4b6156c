"""What somebody follows, as it is listed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from node.councils.models import Council
from node.events.models import Watch
from node.federating.viewer import Viewer
from node.projects import service as projects
from node.projects.models import Project


@dataclass(frozen=True)
class FollowedItem:
    """One thing that somebody follows: a project, a council, or the tag of `watch`."""

    watch: Watch
    project: Project | None
    council: Council | None


def list_followed(session: Session, user_id: int, reader: Viewer) -> Sequence[FollowedItem]:
    """All that somebody, who is `reader`, follows and may still see, the latest first."""
    seen = or_(projects.is_visible_to(reader), projects.is_visible_draft_to(reader))
    query = (
        select(Watch, Project, Council)
        .select_from(Watch)
        .outerjoin(Project, and_(Project.id == Watch.project_id, seen))
        .outerjoin(Council, Council.id == Watch.council_id)
        .where(Watch.user_id == user_id)
        .order_by(Watch.id.desc())
    )
    rows = [FollowedItem(*row) for row in session.execute(query)]
    return [one for one in rows if one.project or one.council or one.watch.tag]
