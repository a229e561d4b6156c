"""What people are told of the searches that they keep."""

from datetime import datetime

from flask_babel import lazy_gettext as _l

from node.db import now
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
        ids = [row.id for row in saved.due(session, moment)] if saved.is_up_to_date(session) else []
    for number in ids:
        if node.jobs.stopping.is_set():
            return
        with node.work(by=JOB) as work:
            row = work.session.get(SavedSearch, number, with_for_update={"of": SavedSearch})
            # Of two workers, the second finds that it was done.
            if row is None or not row.alerts or row.checked_at >= until:
                continue
            for project in saved.new_matches(work.session, row, row.checked_at, until):
                tell(work, FOUND, project_id=project.id, to=[row.user_id], search=row.name)
            row.checked_at = until
