"""SQL conditions for the councils whose projects and documents are shown here."""

from sqlalchemy import ColumnElement, SQLColumnExpression, exists, or_, select
from sqlalchemy.orm import aliased

from node.councils.models import Council
from node.federating.models import Actor, Follow


def is_own(council_id: SQLColumnExpression[int]) -> ColumnElement[bool]:
    """Condition: the council is ours."""
    return council_id.in_(select(Council.id).where(Council.slug.is_not(None)))


def is_shown(council_id: SQLColumnExpression[int]) -> ColumnElement[bool]:
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
