"""The calendar: a month on a page, and what other calendars subscribe to."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from icalendar import Calendar

from node.councils import service as councils
from node.projects import service as projects
from node.projects.validation import to_input
from node.testing.nodes import TestNode
from tests.portfolio.conftest import Town
from tests.portfolio.places import publish


def events(node: TestNode, address: str, role: str | None = None) -> dict[str, Any]:
    """What is in a calendar, by its name."""
    answer = node.visitor(role).client.get(address)
    assert answer.status_code == 200
    assert answer.mimetype == "text/calendar"
    found = Calendar.from_ical(answer.data)
    return {str(event["SUMMARY"]): event for event in found.walk("VEVENT")}


@pytest.mark.parametrize(
    "month, said",
    [
        ("2031-02", "Starts"),
        ("2031-05", "Service assessment"),
        ("2031-08", "Ends (estimated)"),
        ("2031-10", "Contract ends"),
    ],
)
def test_a_month_says_what_is_on_its_days(month: str, said: str, town: Town) -> None:
    page = town.stranger.visit(f"/portfolio/calendar?month={month}").text
    kind = page.partition(">Bins</a>")[0].rpartition('calendar__kind">')[2]
    assert kind.partition("</span>")[0] == said
    assert "Wages" not in page


def test_a_month_that_is_none_is_this_one(town: Town) -> None:
    for typed in ("2031-13", "x", "99999-01"):
        page = town.stranger.visit(f"/portfolio/calendar?month={typed}").text
        assert "calendar__today" in page


def test_the_page_leads_to_the_subscription(town: Town) -> None:
    page = town.stranger.visit("/portfolio/calendar").text
    assert 'href="webcal://aldermoor.test/calendar.ics"' in page


def test_everything_is_in_the_calendar_for_everybody(town: Town) -> None:
    found = events(town.here, "/calendar.ics")
    assert {name for name in found if "Moving" not in name} == {
        "Starts: Bins",
        "Service assessment: Bins",
        "Ends: Bins (estimated)",
        "Contract ends: Bins",
        "Starts: Trees",
        "Review due: Bins",
        "Review due: Trees",
        "Review due: Nothing <said> & done",
    }
    start = found["Starts: Bins"]
    assert start.decoded("DTSTART") == date(2031, 2, 3)
    assert start["URL"] == f"https://aldermoor.test/projects/{town.bins}"
    assert start["UID"].endswith("-start@aldermoor.test")
    assert found["Starts: Trees"]["UID"].endswith("@brackwell.test")
    assert found["Ends: Bins (estimated)"]["STATUS"] == "TENTATIVE"


def test_our_own_people_get_what_they_may_see(town: Town) -> None:
    assert "Starts: Wages" in events(town.here, "/calendar.ics", "officer")


def test_a_council_and_a_project_have_their_own(town: Town) -> None:
    ours = events(town.here, f"/projects/{town.bins}/calendar.ics")
    assert len(ours) == 5
    with town.here.reading() as session:
        council = projects.by_token(session, town.trees).council_id
    assert set(events(town.here, f"/councils/{council}/calendar.ics")) == {
        "Starts: Trees",
        "Review due: Trees",
    }
    client = town.here.visitor().client
    assert client.get("/councils/999999/calendar.ics").status_code == 404
    assert client.get("/projects/none/calendar.ics").status_code == 404


def test_it_is_the_same_until_something_changes_and_names_stay(town: Town) -> None:
    token = publish(town.here, "Moving", None)
    client = town.here.visitor().client
    first = client.get("/calendar.ics")
    again = client.get("/calendar.ics")
    assert again.data == first.data
    not_modified = client.get("/calendar.ics", headers={"If-None-Match": first.headers["ETag"]})
    assert not_modified.status_code == 304
    names = []
    for on in (date(2031, 3, 1), date(2031, 4, 1)):
        move(town.here, token, on)
        event = events(town.here, f"/projects/{token}/calendar.ics")["Starts: Moving"]
        assert event.decoded("DTSTART") == on
        names.append(event["UID"])
    assert names[0] == names[1]
    assert client.get("/calendar.ics").data != first.data


def move(node: TestNode, token: str, on: date) -> None:
    """A project starts on another day."""
    with node.work() as work:
        project = projects.get_for_update(work.session, token)
        said = replace(project.details, starts_on=on)
        projects.update(work, project, replace(to_input(project), details=said), project.version)


def test_the_name_of_a_calendar_is_escaped(town: Town) -> None:
    """RFC 5545, section 3.3.11."""
    with town.here.work() as work:
        council = councils.require_own(work.session)
        before, name = council.name, "Aldermoor, N:\\north; and more"
        councils.change_name(work, name)
    answer = town.stranger.client.get("/calendar.ics").text.replace("\r\n ", "")
    with town.here.work() as work:
        councils.change_name(work, before)
    escaped = "Aldermoor\\, N:\\\\north\\; and more"
    named = [line for line in answer.splitlines() if line.startswith(("NAME:", "X-WR-CALNAME:"))]
    assert len(named) == 2
    assert all(escaped in line for line in named), named
