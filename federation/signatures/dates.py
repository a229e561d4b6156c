"""Dates of signatures: their formats, and the window in which a signature is accepted.

A request may be up to 12 hours old, or up to 1 hour in the future.
"""

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

MAX_AGE = timedelta(hours=12)
MAX_CLOCK_SKEW = timedelta(hours=1)
MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# IMF-fixdate (RFC 9110 section 5.6.7). The day of the week is not checked.
HTTP_DATE = re.compile(
    r"[A-Z][a-z]{2}, ([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4})"
    r" ([0-9]{2}):([0-9]{2}):([0-9]{2}) (?:GMT|UTC)"
)


def parse_http_date(text: str) -> datetime | None:
    """Read a Date header as UTC; None if it cannot be read."""
    match = HTTP_DATE.fullmatch(text)
    if match is None or match[2] not in MONTH_NAMES:
        return None
    day, month, year = int(match[1]), MONTH_NAMES.index(match[2]) + 1, int(match[3])
    try:
        return datetime(year, month, day, int(match[4]), int(match[5]), int(match[6]), tzinfo=UTC)
    except ValueError:
        return None


def format_http_date(time: datetime) -> str:
    """The value of a Date header for `time`."""
    return format_datetime(time.astimezone(UTC), usegmt=True)


def parse_timestamp(seconds: int) -> datetime | None:
    """Convert seconds since 1970 to UTC; None if out of range."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def is_recent(created: datetime | None, now: datetime) -> bool:
    """Whether a signature made at `created` is accepted at `now`; False for None."""
    return created is not None and now - MAX_AGE <= created <= now + MAX_CLOCK_SKEW
