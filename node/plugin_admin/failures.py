"""Stores the errors that plugins raised in any process, for the operator's pages."""

from collections.abc import Sequence

import structlog
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from node.database.tables import insert_into
from node.events import TransactionEnding
from node.plugin_admin.models import PluginFailure
from node.plugin_api.hooks import HookFailure
from node.queue.pruning import delete_surplus
from node.runtime import UnitOfWork

# Rows over all plugins; the oldest are deleted at once, since what visitors send may be in errors.
MAX_FAILURES = 500

log = structlog.get_logger(__name__)


def save_failures(work: UnitOfWork, _event: TransactionEnding) -> None:
    """Store the failures that this process has noted since the last call.

    Called at the end of every transaction that writes. A failure to store them is logged and does
    not affect the transaction.
    """
    if not work.node.hooks.has_unsaved_failures:
        return
    failures = work.node.hooks.pop_unsaved_failures()
    work.session.flush()
    try:
        with work.session.begin_nested():
            for failure in failures:
                _upsert_failure(work.session, failure)
            delete_surplus(
                work.session,
                PluginFailure,
                max_rows=MAX_FAILURES,
                oldest_first=[PluginFailure.last_at],
            )
    except DBAPIError:
        log.exception("plugin failures not saved")


def list_failures(session: Session, plugin: str | None = None) -> Sequence[PluginFailure]:
    """The failures of all plugins, or of one, newest first; at most `MAX_FAILURES`."""
    query = select(PluginFailure).order_by(PluginFailure.last_at.desc(), PluginFailure.id)
    if plugin is not None:
        query = query.where(PluginFailure.plugin == plugin)
    return session.scalars(query.limit(MAX_FAILURES)).all()


def _upsert_failure(session: Session, failure: HookFailure) -> None:
    values = {
        "plugin": failure.plugin,
        "hook": failure.hook[:60],
        "error": failure.error.replace("\0", "")[:500],
        "count": 1,
        "first_at": failure.at,
        "last_at": failure.at,
    }
    repeated = {"count": PluginFailure.count + 1, "last_at": failure.at}
    insertion = insert_into(session, PluginFailure).values(**values)
    session.execute(
        insertion.on_conflict_do_update(index_elements=["plugin", "hook", "error"], set_=repeated)
    )
