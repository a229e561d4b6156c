"""SQL conditions for who sees which projects."""

from functools import cache

from sqlalchemy import (
    ColumnElement,
    SQLColumnExpression,
    and_,
    exists,
    false,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased

from node.access.viewer import Viewer
from node.councils.models import Council
from node.federating.models import Actor, Follow
from node.projects import relations
from node.projects.details import Freshness
from node.projects.models import (
    Project,
    ProjectState,
    Visibility,
)


def is_readable_by(viewer: Viewer) -> ColumnElement[bool]:
    """Condition: `reader` may see the project once it is published, by council and visibility."""
    return and_(_is_from_shown_council(), _is_allowed_to(viewer))


def is_listed_for(viewer: Viewer) -> ColumnElement[bool]:
    """Condition: the project is visible to `reader`, not archived and not continued by another."""
    is_current = Project.freshness != Freshness.archived, ~relations.has_agreed_successor()
    return and_(is_visible_to(viewer), *is_current)


def is_visible_to(viewer: Viewer) -> ColumnElement[bool]:
    """Condition: the project is published and `reader` may see it here."""
    return and_(Project.state == ProjectState.published, is_readable_by(viewer))


def is_visible_draft_to(viewer: Viewer) -> ColumnElement[bool]:
    """Condition: the project is not published yet and `reader` may see it."""
    is_draft = Project.state.in_([ProjectState.draft, ProjectState.review])
    return and_(is_draft, is_readable_by(viewer)) if viewer.may_see_drafts else false()


def is_council_shown(council_id: SQLColumnExpression[int]) -> ColumnElement[bool]:
    """Condition: the projects of the council are shown here.

    A remote council's projects are shown while we follow it, since no one keeps them up to date
    afterwards. Those of a council that moved are shown as long as we follow its successor.
    """
    follows = exists().where(Follow.followed_id == Council.actor_id, Follow.state == "accepted")
    is_own_or_followed = select(Council.id).where(or_(Council.slug.is_not(None), follows))
    old_actor, new_actor = aliased(Actor), aliased(Actor)
    has_moved = (
        select(Council.id)
        .join(old_actor, old_actor.id == Council.actor_id)
        .join(new_actor, new_actor.uri == old_actor.moved_to)
        .outerjoin(Follow, Follow.followed_id == new_actor.id)
        .where(~old_actor.is_blocked, or_(new_actor.is_local, Follow.state != "rejected"))
    )
    return or_(council_id.in_(is_own_or_followed), council_id.in_(has_moved))


@cache
def _is_from_shown_council() -> ColumnElement[bool]:
    """Condition: the council is shown, and no moderator has hidden the project."""
    return and_(is_council_shown(Project.council_id), Project.is_hidden.is_(False))


def _is_allowed_to(viewer: Viewer) -> ColumnElement[bool]:
    """Condition: `reader` may read it; another server, of projects for peers, only local ones."""
    if viewer.is_local_user:
        return true()
    is_public = Project.visibility == Visibility.public
    if viewer.host is None:
        return is_public
    is_ours = Project.council_id.in_(select(Council.id).where(Council.slug.is_not(None)))
    return or_(is_public, and_(is_ours, Project.visibility == Visibility.peers))
