"""What plugins raised, kept for the operator whichever process it was in."""

from collections.abc import Sequence

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from node.db import insert_into
from node.hooks import HookFailure
from node.plugin_admin.models import PluginFailure
from node.runtime import UnitOfWork

MAX_KEPT = 500

log = structlog.get_logger(__name__)


def save_failures(work: UnitOfWork) -> None:
    """Write down what this process noted, at the end of any transaction that writes."""
    if not work.node.hooks.has_unsaved_failures:
        return
    failures = work.node.hooks.pop_unsaved_failures()
    work.session.flush()
    try:
        with work.session.begin_nested():
            for failure in failures:
                _upsert_failure(work.session, failure)
            _prune_surplus(work.session)
    except DBAPIError:
        log.exception("failures of plugins were not kept")


def list_failures(session: Session, plugin: str | None = None) -> Sequence[PluginFailure]:
    """The last of every plugin's, or of one, newest first."""
    query = select(PluginFailure).order_by(PluginFailure.last_at.desc(), PluginFailure.id)
    if plugin is not None:
        query = query.where(PluginFailure.plugin == plugin)
    return session.scalars(query.limit(MAX_KEPT)).all()


def _upsert_failure(session: Session, failure: HookFailure) -> None:
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


def _prune_surplus(session: Session) -> None:
    newest = select(PluginFailure.id).order_by(PluginFailure.last_at.desc(), PluginFailure.id)
    surplus = session.scalars(newest.offset(MAX_KEPT)).all()
    session.execute(delete(PluginFailure).where(PluginFailure.id.in_(surplus)))
