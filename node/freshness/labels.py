"""Freshness in words: what it is called, and the reasons for it."""

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
# Of a silence that is shorter nothing is said.
MIN_SILENT_WEEKS = 4


def list_reasons(project: Project, said_on: date | None, today: date) -> list[str]:
    """Why a project is as fresh as it is, in sentences. `said_on`: its last update was then."""
    word = project.freshness
    if word is Freshness.unsaid:
        return []
    found = []
    if word is Freshness.archived and project.archived_on:
        archived_on = format_day(project.archived_on)
        found.append(gettext("Archived on %(day)s.", day=archived_on))
    if project.review_on and word is not Freshness.fresh:
        found.append(overdue_sentence(project))
    weeks = (today - max(filter(None, [said_on, _published_on(project)]))).days // 7
    if weeks >= MIN_SILENT_WEEKS:
        found.append(ngettext("No update for %(num)s week.", "No update for %(num)s weeks.", weeks))
    if project.confirmed_on:
        confirmed_on = format_day(project.confirmed_on)
        found.append(gettext("Last checked on %(day)s.", day=confirmed_on))
    if word is Freshness.fresh and project.review_on and project.review_on > today:
        found.append(gettext("The next review is on %(day)s.", day=format_day(project.review_on)))
    return found


def overdue_sentence(project: Project) -> str:
    """Since when it waits for its review; empty where that is not known."""
    if project.review_on is None:
        return ""
    return str(gettext("Review was due on %(day)s.", day=format_day(project.review_on)))


def silence_sentence(host: str, heard_on: date) -> str:
    """That nobody knows how things are over there."""
    return str(
        gettext(
            "There has been no contact with %(host)s since %(day)s, so this may be out of date.",
            host=host,
            day=format_day(heard_on),
        )
    )


def format_day(when: date) -> str:
    """`3 March 2026`."""
    return str(format_date(when, "d MMMM y"))


def _published_on(project: Project) -> date:
    return (project.published_at or project.created_at).date()
