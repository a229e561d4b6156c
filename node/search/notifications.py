"""Notifies the owners of saved searches about new results."""

from datetime import datetime
from functools import partial

from flask_babel import lazy_gettext as _l

from node.database.tables import now
from node.notification_events.service import record_event
from node.notification_kinds import NotificationKind, Topic
from node.principal import Principal
from node.queue.error_isolation import for_each
from node.runtime import Node
from node.search import saved_searches
from node.search.models import SavedSearch

JOB = "search-alerts"
NEW_MATCH = NotificationKind(
    "search.found", Topic.searches, _l("New in your search %(search)s: %(project)s")
)
KINDS = (NEW_MATCH,)


def run_job(node: Node, moment: datetime | None = None) -> None:
    """Job: notify the owners of saved searches that have new results by `moment` (default: now)."""
    moment = moment or now()
    until = moment - saved_searches.COMMIT_GRACE
    with node.reading() as session:
        # A project that is not indexed yet would be missed for good, so wait for the indexer.
        ids = (
            saved_searches.list_due(session, moment)
            if saved_searches.is_up_to_date(session)
            else ()
        )
    for_each(node, JOB, ids, partial(_notify_owner, node, until))


def _notify_owner(node: Node, until: datetime, search_id: int) -> None:
    with node.work(by=Principal.job(JOB)) as work:
        row = work.session.get(SavedSearch, search_id, with_for_update={"of": SavedSearch})
        # Another worker may have handled this search in the meantime.
        if row is None or not row.alerts or row.checked_at >= until:
            return
        for project in saved_searches.new_matches(work.session, row, row.checked_at, until):
            record_event(work, NEW_MATCH, project_id=project.id, to=[row.user_id], search=row.name)
        row.checked_at = until
