"""The parts of a project: each is written on a page of its own, and shown to its readers."""

import re

import pytest

from node.testing.nodes import TestNode
from node.testing.visitor import Visitor
from tests.pages.test_writing import TEXT, shown, write

PARTS = {
    "brief": {
        "why": "Calls about bins are **rising**.",
        "problem": "Nobody knows the day.",
        "users": "Residents.",
        "work_done": "We looked at calls.",
        "constraints": "The contract ends soon.",
    },
    "plan": {
        "starts_on-day": "1",
        "starts_on-month": "9",
        "starts_on-year": "2026",
        "ends_on-day": "31",
        "ends_on-month": "3",
        "ends_on-year": "2027",
        "end_is_estimated": "y",
        "assessment_on-day": "5",
        "assessment_on-month": "2",
        "assessment_on-year": "2027",
        "budget": "50k-100k",
        "collaboration": "share-effort",
    },
    "people": {
        "department": "Street services",
        "contact_name": "Sam Reed",
        "contact_email": "sam.reed@aldermoor.example",
    },
    "subject": {
        "capability": "notify",
        "business_area": "waste-and-recycling",
        "lgsl": "524",
        "tags": "bins, reminders , Bins",
        "technologies": "Python, PostgreSQL",
        "skills": "user research, content design",
    },
    "links": {
        "links-0-kind": "repository",
        "links-0-url": "https://code.example/bins",
        "links-0-title": "Code",
    },
    "needs": {
        "user_needs-0-as_a": "resident",
        "user_needs-0-need": "to know which bin goes out",
        "user_needs-0-so_that": "it is emptied",
        "user_needs-0-evidence": "Twelve people told us.",
        "user_needs-0-evidence_kind": "interviews",
        "user_needs-0-evidence_on-day": "3",
        "user_needs-0-evidence_on-month": "6",
        "user_needs-0-evidence_on-year": "2026",
    },
    "outputs": {
        "outputs-0-title": "Research report",
        "outputs-0-about": "What we found.",
        "outputs-0-licence": "OGL-UK-3.0",
        "outputs-0-url": "https://files.example/report",
    },
    "translation": {
        "title": "Biniau mewn un cam",
        "summary": "Gwybod pryd y cânt eu gwagio.",
        "why": "Mae galwadau yn **cynyddu**.",
    },
}
SHOWN = {
    "brief": ("Why the work is being done", "<strong>rising</strong>", "The contract ends soon."),
    "plan": (
        "1 September 2026",
        "31 March 2027</time> (estimated)",
        "5 February 2027",
        "£50,000 to £100,000",
        "Share effort",
    ),
    "people": ("Street services", "Sam Reed", "mailto:sam.reed@aldermoor.example"),
    "subject": (
        "Notifying and messaging",
        "Waste and recycling",
        "524",
        "Python, PostgreSQL",
        ">reminders</a>",
        ">user research</a>",
    ),
    "links": ('href="https://code.example/bins"', "Code repository"),
    "needs": ("to know which bin goes out", "Twelve people told us.", "3 June 2026", "Interviews"),
    "outputs": ("Research report", "Licence: OGL-UK-3.0", "https://files.example/report"),
    "translation": (),
}
WRONG = {
    "plan": {
        "starts_on-day": ("31", "Enter a real date, for example 27 3 2027"),
        "ends_on-year": ("2025", "End date must be the same as or after the start date"),
    },
    "people": {
        "contact_email": ("sam", "Enter an email address in the correct format"),
        "department": ("x" * 151, "You have used 151 characters. Use 150 or fewer."),
    },
    "subject": {
        "lgsl": ("zeppelins", "No service matches these words. Look up the service in the list."),
        "tags": (",".join(f"t{n}" for n in range(31)), "Enter 30 or fewer. You have entered 31."),
    },
    "links": {"links-0-url": ("javascript:alert(1)", "Enter a web address, like https")},
    "needs": {
        "user_needs-0-need": ("", "Enter what the user needs"),
        "user_needs-0-evidence_on-month": ("13", "Enter a real date, for example 27 3 2027"),
    },
    "outputs": {"outputs-0-url": ("nowhere", "Enter a web address, like https")},
    "translation": {"title": ("x" * 151, "You have used 151 characters. Use 150 or fewer.")},
}
CASES = [(part, name) for part, names in WRONG.items() for name in names]


def fill(writer: Visitor, address: str, part: str, **more: str) -> str:
    """Write a part of the project at an address; returns the page that follows."""
    writer.visit(f"{address}/edit/{part}")
    page = writer.submit(f"/edit/{part}", **PARTS[part] | {"then": "save"} | more)
    return shown(page.text)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_written_and_shown(officer: Visitor, stranger: Visitor, part: str) -> None:
    address = write(officer)
    assert "Your changes have been published." in fill(officer, address, part)
    page = shown(stranger.visit(address).text)
    assert [words for words in SHOWN[part] if words not in page] == []
    form = shown(officer.visit(f"{address}/edit/{part}").text)
    typed = [
        words
        for words in PARTS[part].values()
        if len(words) > 4 and words != "bins, reminders , Bins"
    ]
    assert [words for words in typed if words not in form] == []


def test_the_first_brief_is_kept_in_the_brief_section(officer: Visitor) -> None:
    address = write(officer, brief="Much was **written** when it was begun.")
    officer.visit(f"{address}/edit/brief")
    form = officer.form("edit/brief")
    assert form.values["brief"].strip() == "Much was **written** when it was begun."
    officer.submit("edit/brief", problem="Nobody knows the day.", brief="The rest.", then="save")
    assert "The rest." in officer.text
    assert officer.text.count("Nobody knows the day.") == 1
    officer.visit(f"{address}/edit")
    assert officer.form(f"{address}/edit").values["brief"].strip() == "The rest."


def test_duplicate_tags_are_removed(officer: Visitor) -> None:
    address = write(officer)
    fill(officer, address, "subject")
    officer.visit(f"{address}/edit/subject")
    assert officer.form("/edit/subject").values["tags"] == "bins, reminders"


@pytest.mark.parametrize("part, name", CASES)
def test_an_error_is_shown_and_input_is_kept(officer: Visitor, part: str, name: str) -> None:
    address = write(officer)
    typed, message = WRONG[part][name]
    day = {"starts_on-month": "2"} if name == "starts_on-day" else {}
    officer.visit(f"{address}/edit/{part}")
    page = officer.submit(f"/edit/{part}", **PARTS[part] | {name: typed, "then": "save"} | day)
    text = shown(page.text)
    assert page.status_code == 400
    summary = text.partition("govuk-error-summary")[2].partition("</ul>")[0]
    assert message in summary
    assert "<title>Error: " in page.text
    (link,) = re.findall(r'<a href="#([\w-]+)">', summary)
    assert f'id="{link}"' in text
    again = officer.form(f"/edit/{part}").values
    assert again[name] == typed
    assert {key: again[key] for key in PARTS[part] if key != name and key not in day} == {
        key: value for key, value in PARTS[part].items() if key != name and key not in day
    }


def test_links_are_added_and_removed_without_saving(officer: Visitor) -> None:
    address = write(officer)
    officer.visit(f"{address}/edit/links")
    officer.submit("/edit/links", **PARTS["links"], add="links")
    assert "links-1-url" in officer.text
    more = {"links-1-url": "https://board.example/", "links-1-kind": "board"}
    officer.submit("/edit/links", **PARTS["links"] | more, remove="0")
    values = officer.form("/edit/links").values
    assert values["links-0-url"] == "https://board.example/"
    assert "links-1-url" not in values
    assert "code.example" not in officer.visit(address).text


def test_two_writers_of_a_part_conflict(
    officer: Visitor, council: TestNode, stranger: Visitor
) -> None:
    address = write(officer)
    other = council.visitor("operator")
    other.visit(f"{address}/edit/people")
    fill(officer, address, "people")
    page = other.submit("/edit/people", department="Housing", contact_name="Kim Vale", then="save")
    assert page.status_code == 409
    assert "Kim Vale" in page.text
    assert "Street services" in page.text
    assert "Street services" in stranger.visit(address).text
    other.submit("/edit/people", then="save")
    assert "Kim Vale" in stranger.visit(address).text


def test_later_phases_ask_for_user_needs(officer: Visitor, stranger: Visitor) -> None:
    advice = "No evidence has been given"
    early = write(officer, phase="discovery")
    assert advice not in stranger.visit(early).text
    late = write(officer, phase="beta")
    assert advice in stranger.visit(late).text
    assert "Needed in this phase" in officer.visit(late).text
    fill(officer, late, "needs")
    assert advice not in stranger.visit(late).text


def test_a_draft_is_filled_in_from_part_to_part(officer: Visitor) -> None:
    address = write(officer, "save")
    assert officer.text.count("Not yet") >= 6
    assert TEXT["title"] in officer.text
    officer.visit(f"{address}/edit/brief")
    page = officer.submit("/edit/brief", **PARTS["brief"], then="next")
    assert page.request.path == f"{address}/edit/needs"
    page = officer.submit("/edit/needs", **PARTS["needs"], then="next")
    assert page.request.path == f"{address}/edit/plan"


def test_an_unknown_part_is_not_found(officer: Visitor) -> None:
    address = write(officer)
    assert officer.visit(f"{address}/edit/secrets").status_code == 404


def test_all_errors_are_shown_at_once_beside_their_fields(officer: Visitor) -> None:
    address = write(officer)
    officer.visit(f"{address}/edit/needs")
    page = officer.submit(
        "/edit/needs", **{"user_needs-0-as_a": "widow", "user_needs-0-evidence_on-day": "40"}
    )
    assert "Enter a real date" in page.text
    assert "Enter what the user needs" in page.text
    officer.visit(f"{address}/edit/links")
    officer.submit("/edit/links", add="1", then="save")
    page = officer.submit("/edit/links", **{"links-1-url": "nowhere"})
    assert 'href="#links-1-url"' in page.text
    assert officer.form("/edit/links").values["links-1-url"] == "nowhere"
    officer.visit(f"{address}/edit/related")
    other = {"related-0-kind": "similar", "related-0-uri": "https://aldermoor.test/projects/omega"}
    assert (
        "There is no project at this address. Check the address."
        in officer.submit("/edit/related", **other).text
    )
    officer.visit(f"{address}/edit/plan")
    start = {"starts_on-day": "1", "starts_on-month": "Sept", "starts_on-year": "2026"}
    end = {"ends_on-day": "2", "ends_on-month": "mawrth", "ends_on-year": "2027"}
    page = officer.submit("/edit/plan", **start, **end | {"ends_on-month": "ju"})
    assert page.text.count("Enter a real date") == 2, "in the summary and beside the end"
    page = officer.submit("/edit/plan", **start, **end)
    assert "1 September 2026" in page.text
    assert "2 March 2027" in page.text


def test_the_owner_is_suggested_as_the_contact_without_their_sign_in_address(
    officer: Visitor,
) -> None:
    address = write(officer)
    officer.visit(f"{address}/edit/people")
    form = officer.form("edit/people").values
    assert (form["contact_name"], form["contact_email"]) == ("Ola Officer", "")


def test_a_service_is_found_by_words(officer: Visitor) -> None:
    address = write(officer)
    officer.visit(f"{address}/edit/subject")
    page = officer.submit("edit/subject", lgsl="council tax", tags="x" * 61, then="save").text
    assert (
        "More than one service matches these words, including 57 Find out more about council tax; "
    ) in page
    assert ". Enter the number of the service" in page
    assert "You have used 61 characters. Use 60 or fewer." in page
    assert (
        "No service matches these words. Look up the service in the list."
        in officer.submit("edit/subject", lgsl="omega").text
    )
    page = officer.submit("edit/subject", lgsl="squatters", tags="", then="save").text
    assert "101 Find out about squatters" in " ".join(re.sub("<[^>]*>", "", page).split())


def test_the_number_of_a_service_is_looked_up_in_the_list(officer: Visitor) -> None:
    address = write(officer)
    page = officer.visit(f"{address}/edit/subject").text
    assert 'data-suggestions="/services/suggest"' in page
    officer.submit("edit/subject", tags="kerbs, bays", then="look-up")
    page = officer.submit("edit/subject", find="parking", then="look-up").text
    choice = re.search(r'name="lgsl" value="(\d+)"[^>]*>.*?parking', page)
    assert choice, page
    page = officer.submit("edit/subject", lgsl=choice[1]).text
    assert 'value="kerbs, bays"' in page, "what was typed before is kept"
    assert "Parking" not in officer.visit(address).text, "and nothing is saved yet"
    officer.visit(f"{address}/edit/subject")
    officer.submit("edit/subject", tags="kerbs, bays", then="look-up")
    officer.submit("edit/subject", lgsl=choice[1])
    page = officer.submit("edit/subject", then="save").text
    assert f"{choice[1]} " in page.partition("Service number (LGSL)")[2][:200]
    assert "kerbs" in page
    officer.visit(f"{address}/edit/subject")
    officer.submit("edit/subject", lgsl="57 Council tax", then="save")
    name = '57 <span lang="en">Find out more about council tax</span>'
    assert name in officer.text.partition("Service number (LGSL)")[2][:200]
    suggested = officer.visit("/services/suggest?q=57").get_json()["suggestions"]
    assert [service["lang"] for service in suggested if service["value"] == "57"] == ["en"]
