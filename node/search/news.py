"""What people are told of the searches that they keep."""

from datetime import datetime
from functools import partial

from flask_babel import lazy_gettext as _l

from node.db import now
from node.isolation import each
from node.news.kinds import Kind, Topic
from node.news.service import tell
from node.runtime import Node
from node.search import saved
from node.search.models import SavedSearch

JOB = "search-alerts"
FOUND = Kind("search.found", Topic.searches, _l("New in your search %(search)s: %(project)s"))
KINDS = (FOUND,)


def work_off(node: Node, moment: datetime | None = None) -> None:
    """The job: tell those whose searches have something new by `moment`."""
    moment = moment or now()
    until = moment - saved.SETTLED
    with node.reading() as session:
        # What is not in the index yet would be missed for good.
        ids = saved.due(session, moment) if saved.is_up_to_date(session) else ()
    each(node, JOB, ids, partial(_tell_of, node, until))


def _tell_of(node: Node, until: datetime, search_id: int) -> None:
    with node.work(by=JOB) as work:
        row = work.session.get(SavedSearch, search_id, with_for_update={"of": SavedSearch})
        # Of two workers, the second finds that it was done.
        if row is None or not row.alerts or row.checked_at >= until:
            return
        for project in saved.new_matches(work.session, row, row.checked_at, until):
            tell(work, FOUND, project_id=project.id, to=[row.user_id], search=row.name)
        row.checked_at = until
