"""When a request may have been made: not more than 12 hours ago, not more than 1 hour ahead."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

MAX_AGE = timedelta(hours=12)
MAX_CLOCK_SKEW = timedelta(hours=1)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# IMF-fixdate (RFC 9110 section 5.6.7); the day of the week is not compared.
HTTP_DATE = re.compile(
    r"[A-Z][a-z]{2}, ([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4})"
    r" ([0-9]{2}):([0-9]{2}):([0-9]{2}) (?:GMT|UTC)"
)


def parse_http_date(text: str) -> datetime | None:
    """The time a Date header states, UTC; None where it cannot be read."""
    match = HTTP_DATE.fullmatch(text)
    if match is None or match[2] not in MONTHS:
        return None
    day, month, year = int(match[1]), MONTHS.index(match[2]) + 1, int(match[3])
    try:
        return datetime(year, month, day, int(match[4]), int(match[5]), int(match[6]), tzinfo=UTC)
    except ValueError:
        return None


def format_http_date(moment: datetime) -> str:
    """`moment` as a Date header states it."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def parse_timestamp(seconds: int) -> datetime | None:
    """Seconds since 1970 as a time, UTC; None where that is no time."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def is_recent(moment: datetime | None, now: datetime) -> bool:
    """Whether something made at `moment` may arrive now."""
    return moment is not None and now - MAX_AGE <= moment <= now + MAX_CLOCK_SKEW
