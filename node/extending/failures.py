"""What plugins raised, kept for the operator whichever process it was in."""

from collections.abc import Sequence

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from node.db import insert_into
from node.extending.models import PluginFailure
from node.hooks import Failure
from node.runtime import UnitOfWork

MOST_KEPT = 500

log = structlog.get_logger(__name__)


def keep(work: UnitOfWork) -> None:
    """Write down what this process noted, at the end of any transaction that writes."""
    if not work.node.hooks.has_failures_to_keep:
        return
    failures = work.node.hooks.take_failures()
    work.session.flush()
    try:
        with work.session.begin_nested():
            for failure in failures:
                _keep(work.session, failure)
            _make_room(work.session)
    except DBAPIError:
        log.exception("failures of plugins were not kept")


def of_all(session: Session, plugin: str | None = None) -> Sequence[PluginFailure]:
    """The last of every plugin's, or of one, newest first."""
    query = select(PluginFailure).order_by(PluginFailure.last_at.desc(), PluginFailure.id)
    if plugin is not None:
        query = query.where(PluginFailure.plugin == plugin)
    return session.scalars(query.limit(MOST_KEPT)).all()


def _keep(session: Session, failure: Failure) -> None:
    values = {
        "plugin": failure.plugin,
        "hook": failure.hook[:60],
        "error": failure.error.replace("\0", "")[:500],
        "count": 1,
        "first_at": failure.at,
        "last_at": failure.at,
    }
    again = {"count": PluginFailure.count + 1, "last_at": failure.at}
    new = insert_into(session, PluginFailure).values(**values)
    session.execute(
        new.on_conflict_do_update(index_elements=["plugin", "hook", "error"], set_=again)
    )


def _make_room(session: Session) -> None:
    newest = select(PluginFailure.id).order_by(PluginFailure.last_at.desc(), PluginFailure.id)
    surplus = session.scalars(newest.offset(MOST_KEPT)).all()
    session.execute(delete(PluginFailure).where(PluginFailure.id.in_(surplus)))
