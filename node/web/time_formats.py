"""Formats times for people, in the language of the page and in the time zone Europe/London."""

from datetime import UTC, date, datetime

from flask_babel import format_date, format_datetime, format_time, gettext, to_user_timezone


def format_day(at: datetime) -> str:
    """`23 November 2026`."""
    return str(format_date(at, "d MMMM y"))


def format_plain_date(on: date) -> str:
    """`23 November 2026`, for a date without a time."""
    return str(format_date(on, "d MMMM y"))


def format_relative(at: datetime, now: datetime | None = None) -> str:
    """`today at 2:05pm`, `yesterday at 9am`, or the date alone for other days."""
    days = (to_user_timezone(now or datetime.now(UTC)).date() - to_user_timezone(at).date()).days
    if days == 0:
        return str(gettext("today at %(time)s", time=_format_clock(at)))
    if days == 1:
        return str(gettext("yesterday at %(time)s", time=_format_clock(at)))
    return format_day(at)


def format_exact(at: datetime) -> str:
    """`23 November 2026, 14:05:09`."""
    return str(format_datetime(at, "d MMMM y, HH:mm:ss"))


def _format_clock(at: datetime) -> str:
    """`2:05pm`, or `2pm` on the hour, in GOV.UK style."""
    pattern = "ha" if to_user_timezone(at).minute == 0 else "h:mma"
    return str(format_time(at, pattern)).replace(" ", "").lower()
