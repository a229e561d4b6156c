"""Dates of projects as an iCalendar feed for calendars to subscribe to (RFC 5545, RFC 7986)."""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from flask_babel import lazy_gettext as _l
from icalendar import Calendar, Event, vText

from node import __version__
from node.portfolio.project_dates import DATE_KIND_LABELS, ProjectDate
from node.projects.models import Project

ESTIMATED = _l("estimated")
# How often subscribed calendars should fetch the feed.
REFRESH_INTERVAL = timedelta(hours=12)


def build_calendar(
    name: str, days: Sequence[ProjectDate], host: str, links: dict[int, str]
) -> bytes:
    """The calendar of these dates; deterministic, so that caches work.

    `host` is our own; `links` has the URL of each project's page by row id.
    """
    calendar = Calendar()
    calendar.add("prodid", f"-//Moothall {__version__}//{host}//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    # The library escapes only what it knows to be text (RFC 5545, section 3.3.11).
    calendar.add("name", vText(name))
    calendar.add("x-wr-calname", vText(name))
    calendar.add("refresh-interval", REFRESH_INTERVAL, {"value": "DURATION"})
    calendar.add("x-published-ttl", "PT12H")
    for day in days:
        calendar.add_component(_build_event(day, links[day.project.id]))
    return bytes(calendar.to_ical())


def event_uid(project: Project, kind: str) -> str:
    """The UID of a kind of date of a project: the same on every server, even if the date moves."""
    return f"{sha256(project.uri.encode()).hexdigest()[:32]}-{kind}@{project.council.actor.host}"


def _build_event(day: ProjectDate, link: str) -> Event:
    project, event = day.project, Event()
    summary = f"{DATE_KIND_LABELS[day.kind]}: {project.title}"
    event.add("uid", event_uid(project, day.kind.value))
    event.add("dtstamp", project.changed_at)
    event.add("last-modified", project.changed_at)
    event.add("dtstart", day.on)
    event.add("dtend", day.on + timedelta(days=1))
    event.add("summary", f"{summary} ({ESTIMATED})" if day.is_estimated else summary)
    event.add("description", "\n".join(filter(None, (project.council.name, project.summary))))
    event.add("url", link)
    event.add("categories", [project.council.name])
    event.add("status", "TENTATIVE" if day.is_estimated else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    return event
