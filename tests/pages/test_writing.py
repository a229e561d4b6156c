"""Writing projects: drafts, publishing, changing, deleting; and that nothing typed is lost."""

import html
import re

import pytest

from node.testing.nodes import TestNode
from node.testing.visitor import Visitor

AS2 = {"Accept": "application/activity+json"}
TEXT = {
    "title": "Bins in one step",
    "summary": "Know when they are emptied.",
    "phase": "alpha",
    "brief": "## Why\n\nIt is *needed*.",
}
WRONG = {
    "title": ("", "Enter the name of the project"),
    "summary": ("x" * 201, "You have used 201 characters. Use 200 or fewer."),
    "phase": ("omega", "Select a phase"),
    "brief": ("x" * 50_001, "You have used 50,001 characters. Use 50,000 or fewer."),
}


def write(writer: Visitor, then: str = "publish", **typed: str) -> str:
    """Write a project; returns its address."""
    writer.visit("/projects/new")
    page = writer.submit(**TEXT | typed, then=then)
    assert page.status_code == 200, page.text
    return page.request.path


def shown(page: str) -> str:
    """The page as it reads."""
    return html.unescape(page)


def test_only_the_council_sees_a_draft(officer: Visitor, stranger: Visitor) -> None:
    address = write(officer, "save", title="A quiet plan")
    assert "The draft has been saved. Only your council can see it." in officer.text
    assert "A quiet plan" in officer.visit("/projects/drafts").text
    assert "A quiet plan" not in officer.visit("/projects").text
    assert stranger.visit(address).status_code == 404
    assert "A quiet plan" not in stranger.text
    for client in (stranger.client, officer.client):
        assert client.get(address, headers=AS2).status_code == 404
    everything = stranger.client.get("/councils/aldermoor/projects?after=0", headers=AS2)
    assert "A quiet plan" not in everything.text


def test_a_draft_is_published_from_its_page(officer: Visitor, stranger: Visitor) -> None:
    address = write(officer, "save", title="A plan that grows")
    officer.submit("publish")
    assert "The project has been published." in officer.text
    assert "A plan that grows" in stranger.visit(address).text
    document = stranger.client.get(address, headers=AS2)
    assert (document.status_code, document.get_json()["name"]) == (200, "A plan that grows")


def test_a_published_project_reads_as_it_was_written(officer: Visitor, stranger: Visitor) -> None:
    page = stranger.visit(write(officer))
    assert "<h2>Why</h2>" in page.text
    assert "<em>needed</em>" in page.text
    assert "Know when they are emptied." in page.text
    assert "Alpha" in page.text
    assert "Manage this project" not in page.text


@pytest.mark.parametrize("field", WRONG)
def test_an_error_links_to_its_field_and_input_is_kept(officer: Visitor, field: str) -> None:
    typed, message = WRONG[field]
    officer.visit("/projects/new")
    page = officer.submit(**TEXT | {field: typed}, then="publish")
    assert page.status_code == 400
    summary = page.text.partition("govuk-error-summary")[2].partition("</ul>")[0]
    links = re.findall(r'<a href="#([\w-]+)">(.*?)</a>', summary)
    assert [text for _, text in links] == [message]
    assert f'id="{links[0][0]}"' in page.text
    assert "<title>Error: " in page.text
    kept = officer.form().values
    expected = TEXT | ({field: typed} if field != "phase" else {})
    for name, value in expected.items():
        if name != "phase" or field != "phase":
            assert kept.get(name, "").strip("\n") == value, name


def test_all_errors_are_shown_at_once(officer: Visitor) -> None:
    officer.visit("/projects/new")
    page = officer.submit(title="", summary="", phase="", brief="")
    assert page.status_code == 400
    assert page.text.count('<p id="title-error"') == 1
    for message in (
        "Enter the name",
        "Enter a summary of what the project is for",
        "Select a phase",
    ):
        assert page.text.count(message) == 2, message


def test_an_invalid_change_changes_nothing(officer: Visitor, stranger: Visitor) -> None:
    address = write(officer, title="It stands")
    officer.visit(f"{address}/edit")
    page = officer.submit(title="", brief="Much was typed here")
    assert page.status_code == 400
    assert officer.form("edit").values["brief"].strip() == "Much was typed here"
    assert "It stands" in stranger.visit(address).text
    officer.submit(title="It moves")
    assert "Your changes have been published." in officer.text
    assert "It moves" in stranger.visit(address).text


def test_a_conflict_is_shown_and_loses_nothing(
    officer: Visitor, operator: Visitor, stranger: Visitor
) -> None:
    address = write(officer, title="Of two minds")
    officer.visit(f"{address}/edit")
    operator.visit(f"{address}/edit")
    operator.submit(title="Of the operator", brief="What the operator wrote")
    page = officer.submit(title="Of the officer", brief="What the officer <wrote>")
    assert page.status_code == 409
    assert "Someone else changed this project" in page.text
    for text in ("Of the operator", "What the operator wrote", "Of the officer"):
        assert text in page.text
    assert officer.form("edit").values["brief"].strip() == "What the officer <wrote>"
    assert "Of the operator" in stranger.visit(address).text
    again = officer.submit("edit")
    assert again.status_code == 200
    assert "Of the officer" in stranger.visit(address).text


def test_an_error_beside_a_conflict_does_not_hide_it(officer: Visitor, operator: Visitor) -> None:
    address = write(officer, title="Both at once")
    officer.visit(f"{address}/edit")
    operator.visit(f"{address}/edit")
    operator.submit(brief="Newer")
    assert officer.submit(title="").status_code == 400
    assert officer.submit(title="Mended").status_code == 409


@pytest.mark.parametrize("version", ["", "0", "-1", "x", "²", "9" * 5000])
def test_an_invalid_version_saves_nothing(officer: Visitor, version: str) -> None:
    address = write(officer, title="Unmoved")
    officer.visit(f"{address}/edit")
    assert officer.submit(title="Moved", version=version).status_code == 409
    assert "<h1" in officer.visit(address).text
    assert "Moved" not in officer.text


def test_a_deleted_project_is_gone_for_everyone(officer: Visitor, stranger: Visitor) -> None:
    address = write(officer, title="Not for long")
    officer.visit(f"{address}/delete")
    assert "Not for long" in officer.text
    officer.submit("delete")
    assert "The project has been deleted." in officer.text
    for visitor in (officer, stranger):
        page = visitor.visit(address)
        assert page.status_code == 410
        assert "This has been deleted" in page.text
        assert "Not for long" not in page.text
    document = stranger.client.get(address, headers=AS2)
    assert (document.status_code, document.get_json()["type"]) == (410, "Tombstone")
    for onward in ("edit", "delete"):
        assert officer.visit(f"{address}/{onward}").status_code == 410


def test_a_draft_that_is_deleted_leaves_no_trace_for_others(
    officer: Visitor, stranger: Visitor
) -> None:
    address = write(officer, "save", title="Never mind")
    officer.visit(f"{address}/delete")
    officer.submit("delete")
    assert "Never mind" not in stranger.visit(address).text


def test_publishing_twice_is_a_conflict(council: TestNode, officer: Visitor) -> None:
    address = write(officer, "save", title="Once is enough")
    publishing = officer.form("publish")
    officer.submit("publish")
    again = officer.client.post(publishing.action, data=publishing.values)
    assert again.status_code == 409
    assert address in publishing.action


def test_line_ends_of_browsers_do_not_count_as_a_change(officer: Visitor) -> None:
    address = write(officer, brief="One\r\ntwo\r\n")
    officer.visit(f"{address}/edit")
    assert officer.form("edit").values["brief"].strip("\n") == "One\ntwo"
