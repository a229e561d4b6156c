"""Announces the updates of officers with a public profile to their followers.

The `Announce` is also the only record of who wrote an update. Officers announce no one else's.
"""

import json
from collections.abc import Iterable

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from federation.vocabulary import announce as announce_activity
from federation.vocabulary import undo as undo_activity
from federation.vocabulary.activity_types import ANNOUNCE
from node.access import audiences
from node.access.viewer import ANONYMOUS
from node.access.visibility import Visibility
from node.federating.identity import local_uris
from node.federating.models import Actor, Delivery, OutboxActivity
from node.federating.outbound import outbox
from node.officers.service import ACTOR_KIND, address_publicly, is_public
from node.projects.models import Project
from node.projects.visibility import is_fetchable_by
from node.projects.withdrawals import Withdrawal
from node.runtime import UnitOfWork
from node.updates.events import UpdateDeleted, UpdateWritten
from node.updates.models import Update, UpdateState

# Updates on an officer's page.
MAX_LATEST = 20
_IS_ANNOUNCE = OutboxActivity.type == ANNOUNCE
_IS_PUBLIC_ANNOUNCE = _IS_ANNOUNCE, OutboxActivity.audience == audiences.PUBLIC


def announce_update(work: UnitOfWork, event: UpdateWritten) -> None:
    """Announce a public update by its author's actor, if any."""
    update = work.session.get_one(Update, event.update_id)
    writer = _current_writer(work)
    if writer is None or update.project.effective_visibility is not Visibility.public:
        return
    uri = local_uris.new_activity(work.settings)
    activity = announce_activity(uri, writer.uri, update.uri, **address_publicly(writer))
    outbox.publish(work, writer, activity)


def undo_announcement(work: UnitOfWork, event: UpdateDeleted) -> None:
    """Undo the announcements of a deleted update."""
    _undo_announcements(work, Update.id == event.update_id)


def _withdraw(
    work: UnitOfWork,
    project: Project,
    _remaining_audience: audiences.Audience | None,
    after: int,
    limit: int,
) -> int:
    if not project.is_local:
        return 0
    return _undo_announcements(work, Update.project_id == project.id, after, limit)


# Final, since nobody repeats an announcement if the audience is widened meanwhile.
WITHDRAW_ANNOUNCEMENTS = Withdrawal("withdraw-announcements", _withdraw, is_final=True)


def find_writers(session: Session, updates: Iterable[Update]) -> dict[str, Actor]:
    """The actors of the updates' authors, by update id; only those with a public profile."""
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
    """The newest public updates that an officer announced."""
    query = (
        select(Update)
        .join(OutboxActivity, OutboxActivity.object_uri == Update.uri)
        .join(Project, Project.id == Update.project_id)
        .where(OutboxActivity.actor_id == writer.id, *_IS_PUBLIC_ANNOUNCE)
        .where(Update.state == UpdateState.published, is_fetchable_by(ANONYMOUS))
        .order_by(OutboxActivity.id.desc())
        .limit(MAX_LATEST)
    )
    return list(session.scalars(query))


def _current_writer(work: UnitOfWork) -> Actor | None:
    """The actor of the user who writes, if they have a public profile."""
    user_id = work.by.user_id
    if user_id is None:
        return None
    return work.session.scalar(select(Actor).where(Actor.user_id == user_id, is_public()))


def _undo_announcements(
    work: UnitOfWork, condition: ColumnElement[bool], after: int = 0, limit: int | None = None
) -> int:
    """Undo officers' announcements of the updates that meet `condition`, wherever they were sent,
    and hide them: up to `limit` announcements after row `after`. Returns the last row id, or 0 if
    there are no more.
    """
    uris = select(Update.uri).where(condition)
    # An announcement that was undone is direct; hidden ones still have to be undone.
    is_active = _IS_ANNOUNCE, OutboxActivity.audience != audiences.DIRECT, OutboxActivity.id > after
    query = (
        select(OutboxActivity)
        .join(Actor, Actor.id == OutboxActivity.actor_id)
        .where(OutboxActivity.object_uri.in_(uris), *is_active)
        .where(Actor.is_local, Actor.kind == ACTOR_KIND)
    )
    announcements = work.session.scalars(query.order_by(OutboxActivity.id).limit(limit)).all()
    for row in announcements:
        sent_to = select(Delivery.inbox).where(Delivery.activity_id == row.id)
        inboxes = {
            *outbox.follower_inboxes(work.session, row.actor),
            *work.session.scalars(sent_to),
        }
        uri = local_uris.new_activity(work.settings)
        undo = undo_activity(uri, row.actor.uri, json.loads(row.body))
        # Direct, since the outbox must not name the update to those who may no longer see it.
        outbox.publish_to(work, row.actor, undo, inboxes).audience = audiences.DIRECT
        row.audience = audiences.DIRECT
    return announcements[-1].id if len(announcements) == limit else 0
