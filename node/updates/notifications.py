"""What people here are told of updates, of our projects and those of others."""

from collections.abc import Collection, Sequence

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from node.events.kinds import NotificationKind, Topic
from node.events.service import record_events
from node.runtime import UnitOfWork
from node.updates.federate import RemoteUpdate
from node.updates.models import Update, UpdateState

UPDATE_WRITTEN = NotificationKind(
    "update.written",
    Topic.updates,
    _l("%(council)s wrote an update about %(project)s"),
    for_followers=True,
    for_owner=True,
)
KINDS = (UPDATE_WRITTEN,)


def find_known(session: Session, told: Sequence[RemoteUpdate]) -> set[str]:
    """Those of these updates that have been here before."""
    return set(session.scalars(select(Update.uri).where(Update.uri.in_([one.uri for one in told]))))


def notify_received(
    work: UnitOfWork, told: Sequence[RemoteUpdate], before: Collection[str]
) -> None:
    """Updates of another council's projects are kept now; those in `before` were there."""
    new = [one.uri for one in told if one.uri not in before]
    columns = Update.uri, Update.project_id, Update.published_at, Update.state
    rows = work.session.execute(select(*columns).where(Update.uri.in_(new))) if new else ()
    record_events(
        work,
        UPDATE_WRITTEN,
        [
            {"project_id": row.project_id, "subject_uri": row.uri, "at": row.published_at}
            for row in rows
            if row.state is UpdateState.published
        ],
    )
