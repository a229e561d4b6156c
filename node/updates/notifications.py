"""Notifications about updates, local and remote."""

from collections.abc import Collection, Sequence

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from node.notification_events.service import record_events
from node.notification_kinds import NotificationKind, Topic
from node.runtime import UnitOfWork
from node.updates.federate import RemoteUpdate
from node.updates.models import Update, UpdateState

UPDATE_WRITTEN = NotificationKind(
    "update.written",
    Topic.updates,
    _l("%(council)s wrote an update about %(project)s"),
    notifies_followers=True,
    notifies_owner=True,
)
KINDS = (UPDATE_WRITTEN,)


def find_known(session: Session, remote_updates: Sequence[RemoteUpdate]) -> set[str]:
    """The ids of those updates that are stored already."""
    return set(
        session.scalars(
            select(Update.uri).where(Update.uri.in_([remote.uri for remote in remote_updates]))
        )
    )


def notify_received(
    work: UnitOfWork, remote_updates: Sequence[RemoteUpdate], known_uris: Collection[str]
) -> None:
    """Record events for received updates, except those in `known_uris`, which are not new."""
    new_uris = [remote.uri for remote in remote_updates if remote.uri not in known_uris]
    columns = Update.uri, Update.project_id, Update.published_at, Update.state
    rows = (
        work.session.execute(select(*columns).where(Update.uri.in_(new_uris))) if new_uris else ()
    )
    record_events(
        work,
        UPDATE_WRITTEN,
        [
            {"project_id": row.project_id, "subject_uri": row.uri, "at": row.published_at}
            for row in rows
            if row.state is UpdateState.published
        ],
    )
