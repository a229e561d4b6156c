"""Calendars are valid iCalendar (RFC 5545, RFC 7986): checked by the library that writes them, by
another, and for the rules that neither checks.
"""

import re
from datetime import datetime
from typing import Any

import pytest
import vobject
from icalendar import Calendar

from node.testing.visitor import Visitor
from tests.formats.conftest import LONG

# These tests do not depend on the database.
pytestmark = pytest.mark.parametrize("lasting_nodes", ["sqlite"], indirect=True)

STATUSES = {"TENTATIVE", "CONFIRMED", "CANCELLED"}


def errors(document: bytes) -> list[str]:
    """The rules of the RFCs that a calendar breaks."""
    lines = document.split(b"\r\n")
    problems = ["3.1: lines"] if any(len(each) > 75 or b"\n" in each for each in lines) else []
    try:
        vobject.readOne(document.decode()).validate(raiseException=True)
        calendar: Any = Calendar.from_ical(document)
    except (vobject.base.VObjectError, ValueError) as error:
        return [*problems, str(error)]
    problems += [str(each.errors) for each in calendar.walk() if each.errors]
    if calendar.get("VERSION") != "2.0":
        problems.append("3.7.4: version")
    events = calendar.walk("VEVENT")
    if len({str(each["UID"]) for each in events}) < len(events):
        problems.append("3.8.4.7: an identifier that is not unique")
    return problems + [wrong for each in events for wrong in wrong_event(each)]


def wrong_event(event: Any) -> list[str]:
    problems, stamp, starts = [], event["DTSTAMP"].dt, event.get("DTSTART")
    if not isinstance(stamp, datetime) or stamp.tzinfo is None:
        problems.append("3.8.7.2: a time stamp that is not in UTC")
    if "DTEND" in event and (starts is None or event["DTEND"].dt <= starts.dt):
        problems.append("3.8.2.2: an end that is not after the start")
    if event.get("STATUS", "CONFIRMED") not in STATUSES:
        problems.append("3.8.1.11: status")
    return problems


@pytest.mark.parametrize("path", ["/calendar.ics", "/projects/{}/calendar.ics"])
def test_calendars_are_valid(stranger: Visitor, token: str, path: str) -> None:
    response = stranger.client.get(path.format(token))
    assert response.mimetype == "text/calendar"
    assert response.data.endswith(b"\r\n")
    assert errors(response.data) == []
    lines = response.data.split(b"\r\n")
    assert any(line.startswith(b" ") for line in lines), "a long title is folded"
    calendar: Any = Calendar.from_ical(response.data)
    assert calendar["PRODID"]
    events = calendar.walk("VEVENT")
    assert len(events) >= 2
    for each in events:
        assert each["DTSTART"].dt < each["DTEND"].dt
        assert LONG in str(each["SUMMARY"])


# Section of RFC 5545, a pattern found in a real calendar, and its invalid replacement.
WRONG = [
    ("3.1", r"CALSCALE", "X-LONG:" + "x" * 80 + "\r\nCALSCALE"),
    ("3.1", r"(CALSCALE[^\r]*)\r\n", r"\1\n"),
    ("3.1", r"STATUS:", "STATUS "),
    ("3.3.4", r"(DTSTART[^:]*):\d+", r"\1:20300231"),
    ("3.3.5", r"(DTSTAMP:\d+T\d+)Z", r"\1"),
    ("3.3.6", r"DURATION:PT12H", "DURATION:12 hours"),
    ("3.6", r"END:VEVENT\r\n", ""),
    ("3.6", r"PRODID:[^\r]*\r\n", ""),
    ("3.6", r"(PRODID:[^\r]*\r\n)", r"\1\1"),
    ("3.6.1", r"UID:[^\r]*\r\n( [^\r]*\r\n)*", ""),
    ("3.6.1", r"DTSTAMP:[^\r]*\r\n", ""),
    ("3.6.1", r"(DTSTAMP:[^\r]*\r\n)", r"\1\1"),
    ("3.6.1", r"(DTSTART[^\r]*\r\n)", r"\1\1"),
    ("3.6.1", r"(STATUS[^\r]*\r\n)", r"\1\1"),
    ("3.6.1", r"(TRANSP[^\r]*\r\n)", r"\1\1"),
    ("3.6.1", r"(URL[^\r]*\r\n)", r"\1\1"),
    ("3.7.4", r"VERSION:2.0", "VERSION:1.0"),
    ("3.7.4", r"VERSION:2.0\r\n", ""),
    ("3.8.1.11", r"STATUS:[A-Z]*", "STATUS:MAYBE"),
    ("3.8.2.2", r"(DTSTART[^:]*:)(\d+)(\r\nDTEND[^:]*:)\d+", r"\1\2\3\2"),
    ("3.8.2.2", r"DTSTART[^\r]*\r\n", ""),
    ("3.8.4.7", r"(BEGIN:VEVENT.*?END:VEVENT\r\n)", r"\1\1"),
]


@pytest.mark.parametrize("section, pattern, replacement", WRONG)
def test_invalid_calendar_is_detected(
    stranger: Visitor, token: str, section: str, pattern: str, replacement: str
) -> None:
    document = stranger.client.get("/calendar.ics").data.decode()
    wrong, changes = re.subn(pattern, replacement, document, count=1, flags=re.DOTALL)
    assert changes == 1
    assert errors(wrong.encode()), section
