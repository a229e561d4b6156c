"""Words for freshness: labels, and sentences with its reasons."""

from datetime import date

from flask_babel import format_date, gettext, ngettext
from flask_babel import lazy_gettext as _l

from node.projects.details import Freshness
from node.projects.models import Project

FRESHNESS_LABELS = {
    Freshness.fresh: _l("Up to date"),
    Freshness.due: _l("Review due"),
    Freshness.stale: _l("Out of date"),
    Freshness.archived: _l("Archived"),
}
# Weeks without an update from which this is mentioned.
MIN_SILENT_WEEKS = 4


def list_reasons(project: Project, last_update_on: date | None, today: date) -> list[str]:
    """The reasons for a project's freshness, in sentences."""
    freshness = project.freshness
    if freshness is Freshness.unsaid:
        return []
    sentences = []
    if freshness is Freshness.archived and project.archived_on:
        archived_on = format_day(project.archived_on)
        sentences.append(gettext("Archived on %(day)s.", day=archived_on))
    if project.review_on and freshness is not Freshness.fresh:
        sentences.append(overdue_sentence(project))
    weeks = (today - max(filter(None, [last_update_on, _published_on(project)]))).days // 7
    if weeks >= MIN_SILENT_WEEKS:
        sentences.append(
            ngettext("No update for %(num)s week.", "No update for %(num)s weeks.", weeks)
        )
    if project.confirmed_on:
        confirmed_on = format_day(project.confirmed_on)
        sentences.append(gettext("Last checked on %(day)s.", day=confirmed_on))
    if freshness is Freshness.fresh and project.review_on and project.review_on > today:
        sentences.append(
            gettext("The next review is on %(day)s.", day=format_day(project.review_on))
        )
    return sentences


def overdue_sentence(project: Project) -> str:
    """Since when a project's review is due; empty if that is not known."""
    if project.review_on is None:
        return ""
    return str(gettext("Review was due on %(day)s.", day=format_day(project.review_on)))


def silence_sentence(host: str, last_seen_on: date) -> str:
    """That another council's server has not been heard from since `last_seen_on`."""
    return str(
        gettext(
            "There has been no contact with %(host)s since %(day)s, so this may be out of date.",
            host=host,
            day=format_day(last_seen_on),
        )
    )


def format_day(day: date) -> str:
    """A date such as `3 March 2026`, in the reader's language."""
    return str(format_date(day, "d MMMM y"))


def _published_on(project: Project) -> date:
    return (project.published_at or project.created_at).date()
