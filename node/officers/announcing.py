"""What officers who are seen write: each update, announced by whoever wrote it to their followers.

That announcement is also what says who wrote an update. There is none by others.
"""

import json
from collections.abc import Iterable

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from federation.vocabulary import announce as announce_activity
from federation.vocabulary import undo as undo_activity
from node.federating import addresses, publishing
from node.federating.models import Actor, Delivery, OutboxActivity
from node.officers.service import KIND, audience, is_seen
from node.people.models import User
from node.projects.models import Project, Visibility
from node.runtime import UnitOfWork
from node.updates.models import State, Update

# So many of an officer's updates stand on their page.
LATEST = 20
_ANNOUNCED = OutboxActivity.type == "Announce"
_SAID = _ANNOUNCED, OutboxActivity.audience == publishing.PUBLIC


def announce(work: UnitOfWork, written: Update) -> None:
    """Whoever wrote an update that all may read announces it; of a deleted one that is undone."""
    if written.state is State.deleted:
        _take_back(work, Update.uri == written.uri)
        return
    writer = _acting(work)
    if writer is None or written.project.visibility is not Visibility.public:
        return
    uri = addresses.new_activity(work.settings)
    activity = announce_activity(uri, writer.uri, written.uri, **audience(writer))
    publishing.publish(work, writer, activity)


def withdraw(
    work: UnitOfWork,
    project: Project,
    _now_for: publishing.Audience | None,
    after: int,
    most: int,
) -> int:
    """Fewer may read a project: that somebody wrote its updates is not said any more. What is
    announced is hidden with the updates.
    """
    if not project.is_local:
        return 0
    return _take_back(work, Update.project_id == project.id, after, most)


def writers(session: Session, updates: Iterable[Update]) -> dict[str, Actor]:
    """Who wrote which of some updates, by their ids: only those who chose to be seen."""
    uris = [update.uri for update in updates if update.author.is_local]
    if not uris:
        return {}
    query = (
        select(OutboxActivity.object_uri, Actor)
        .join(Actor, Actor.id == OutboxActivity.actor_id)
        .where(OutboxActivity.object_uri.in_(uris), *_SAID, is_seen())
    )
    return {row.object_uri: row.Actor for row in session.execute(query)}


def latest(session: Session, writer: Actor) -> list[Update]:
    """The newest updates that an officer announces."""
    query = (
        select(Update)
        .join(OutboxActivity, OutboxActivity.object_uri == Update.uri)
        .join(Project, Project.id == Update.project_id)
        .where(OutboxActivity.actor_id == writer.id, *_SAID)
        .where(Update.state == State.published, Project.visibility == Visibility.public)
        .order_by(OutboxActivity.id.desc())
        .limit(LATEST)
    )
    return list(session.scalars(query))


def _acting(work: UnitOfWork) -> Actor | None:
    """The actor of whoever writes, if they chose to be seen."""
    user = select(User.id).where(User.email == work.by).scalar_subquery()
    return work.session.scalar(select(Actor).where(Actor.user_id == user, is_seen()))


def _take_back(
    work: UnitOfWork, which: ColumnElement[bool], after: int = 0, most: int | None = None
) -> int:
    """Undo what officers announced of the updates of which `which` is true, where it went, and show
    it no more: of up to `most` announcements, from row `after` on. Returns as a `Withdrawal` does.
    """
    uris = select(Update.uri).where(which)
    # Those that are hidden already, too: what is direct was taken back.
    said = _ANNOUNCED, OutboxActivity.audience != publishing.DIRECT, OutboxActivity.id > after
    announced = (
        select(OutboxActivity)
        .join(Actor, Actor.id == OutboxActivity.actor_id)
        .where(OutboxActivity.object_uri.in_(uris), *said, Actor.is_local, Actor.kind == KIND)
    )
    found = work.session.scalars(announced.order_by(OutboxActivity.id).limit(most)).all()
    for row in found:
        sent = select(Delivery.inbox).where(Delivery.activity_id == row.id)
        to = {*publishing.followers(work.session, row.actor), *work.session.scalars(sent)}
        uri = addresses.new_activity(work.settings)
        undone = undo_activity(uri, row.actor.uri, json.loads(row.body))
        publishing.publish_to(work, row.actor, undone, to)
        row.audience = publishing.DIRECT
    return found[-1].id if len(found) == most else 0
