"""What officers who are seen write: each update, announced by whoever wrote it to their followers.

That announcement is also what says who wrote an update. There is none by others.
"""

import json
from collections.abc import Iterable

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from federation.vocabulary import announce as announce_activity
from federation.vocabulary import undo as undo_activity
from node.federating import local_uris, outbox
from node.federating.models import Actor, Delivery, OutboxActivity
from node.officers.service import ACTOR_KIND, address_to, is_public
from node.people.models import User
from node.projects.models import Project, Visibility
from node.runtime import UnitOfWork
from node.updates.models import Update, UpdateState

# So many of an officer's updates stand on their page.
MAX_LATEST = 20
_IS_ANNOUNCE = OutboxActivity.type == "Announce"
_IS_PUBLIC_ANNOUNCE = _IS_ANNOUNCE, OutboxActivity.audience == outbox.PUBLIC


def announce_update(work: UnitOfWork, written: Update) -> None:
    """Whoever wrote an update that all may read announces it; of a deleted one that is undone."""
    if written.state is UpdateState.deleted:
        _undo_announcements(work, Update.uri == written.uri)
        return
    writer = _current_writer(work)
    if writer is None or written.project.visibility is not Visibility.public:
        return
    uri = local_uris.new_activity(work.settings)
    activity = announce_activity(uri, writer.uri, written.uri, **address_to(writer))
    outbox.publish(work, writer, activity)


def withdraw_announcements(
    work: UnitOfWork,
    project: Project,
    _now_for: outbox.Audience | None,
    after: int,
    most: int,
) -> int:
    """Fewer may read a project: that somebody wrote its updates is not said any more. What is
    announced is hidden with the updates.
    """
    if not project.is_local:
        return 0
    return _undo_announcements(work, Update.project_id == project.id, after, most)


def find_writers(session: Session, updates: Iterable[Update]) -> dict[str, Actor]:
    """Who wrote which of some updates, by their ids: only those who chose to be seen."""
    uris = [update.uri for update in updates if update.author.is_local]
    if not uris:
        return {}
    query = (
        select(OutboxActivity.object_uri, Actor)
        .join(Actor, Actor.id == OutboxActivity.actor_id)
        .where(OutboxActivity.object_uri.in_(uris), *_IS_PUBLIC_ANNOUNCE, is_public())
    )
    return {row.object_uri: row.Actor for row in session.execute(query)}


def list_latest(session: Session, writer: Actor) -> list[Update]:
    """The newest updates that an officer announces."""
    query = (
        select(Update)
        .join(OutboxActivity, OutboxActivity.object_uri == Update.uri)
        .join(Project, Project.id == Update.project_id)
        .where(OutboxActivity.actor_id == writer.id, *_IS_PUBLIC_ANNOUNCE)
        .where(Update.state == UpdateState.published, Project.visibility == Visibility.public)
        .order_by(OutboxActivity.id.desc())
        .limit(MAX_LATEST)
    )
    return list(session.scalars(query))


def _current_writer(work: UnitOfWork) -> Actor | None:
    """The actor of whoever writes, if they chose to be seen."""
    user = select(User.id).where(User.email == work.by).scalar_subquery()
    return work.session.scalar(select(Actor).where(Actor.user_id == user, is_public()))


def _undo_announcements(
    work: UnitOfWork, which: ColumnElement[bool], after: int = 0, most: int | None = None
) -> int:
    """Undo what officers announced of the updates of which `which` is true, where it went, and show
    it no more: of up to `most` announcements, from row `after` on. Returns as a `Withdrawal` does.
    """
    uris = select(Update.uri).where(which)
    # Those that are hidden already, too: what is direct was taken back.
    said = _IS_ANNOUNCE, OutboxActivity.audience != outbox.DIRECT, OutboxActivity.id > after
    announced = (
        select(OutboxActivity)
        .join(Actor, Actor.id == OutboxActivity.actor_id)
        .where(OutboxActivity.object_uri.in_(uris), *said, Actor.is_local, Actor.kind == ACTOR_KIND)
    )
    found = work.session.scalars(announced.order_by(OutboxActivity.id).limit(most)).all()
    for row in found:
        sent = select(Delivery.inbox).where(Delivery.activity_id == row.id)
        to = {*outbox.follower_inboxes(work.session, row.actor), *work.session.scalars(sent)}
        uri = local_uris.new_activity(work.settings)
        undone = undo_activity(uri, row.actor.uri, json.loads(row.body))
        outbox.publish_to(work, row.actor, undone, to)
        row.audience = outbox.DIRECT
    return found[-1].id if len(found) == most else 0
