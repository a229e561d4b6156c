"""Writing a project: missing fields, two editors at once, and checklists."""

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.journeys.looking import examine
from tests.journeys.test_checklists import go_through
from tests.journeys.test_sharing import SCRIPT
from tests.journeys.town import Council, publish, sign_in


@pytest.mark.parametrize("script", SCRIPT)
def test_errors_link_to_missing_fields(
    script: bool, browser: BrowserContext, here: Council
) -> None:
    page = browser.new_page()
    sign_in(page, here, "officer")
    page.goto(here.url("/projects/new"))
    page.get_by_label("Brief").fill("## Kept\n\nWhat was typed.")
    page.get_by_role("button", name="Publish", exact=True).click()

    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("There is a problem")
    expect(page).to_have_title(f"Error: Publish a project – {here.name}")
    if script:
        expect(page.locator(".govuk-error-summary")).to_be_focused()
        examine(page)
    for message, field in (
        ("Enter the name of the project", page.get_by_label("Project name")),
        ("Enter a summary of what the project is for", page.get_by_label("Summary")),
        ("Select a phase", page.get_by_role("radio", name="Concept")),
    ):
        summary.get_by_role("link", name=message).click()
        expect(field).to_be_focused()
        expect(field).to_be_in_viewport()
    expect(page.get_by_label("Brief")).to_have_value("## Kept\n\nWhat was typed.")


@pytest.mark.parametrize("script", SCRIPT)
def test_second_of_two_editors_sees_both_texts(
    script: bool, browser: BrowserContext, second_browser: BrowserContext, here: Council
) -> None:
    first, second = browser.new_page(), second_browser.new_page()
    sign_in(first, here, "officer")
    sign_in(second, here, "operator")
    address = publish(first, here, f"Two pens, one page, {script}")
    for page in (first, second):
        page.goto(f"{address}/edit")
    first.get_by_label("Brief").fill("The officer's words.")
    first.get_by_role("button", name="Publish changes").click()
    expect(first.get_by_role("alert")).to_contain_text("Your changes have been published.")
    second.get_by_label("Brief").fill("The operator's words.")
    second.get_by_role("button", name="Publish changes").click()

    expect(second.get_by_role("heading", level=1)).to_have_text("Someone else changed this project")
    expect(second.get_by_label("Brief")).to_have_value("The operator's words.")
    expect(second.get_by_role("region", name="Current version")).to_contain_text(
        "The officer's words."
    )
    if script:
        examine(second)
    first.goto(address)
    expect(first.get_by_role("main")).to_contain_text("The officer's words.")
    second.get_by_role("button", name="Save my version").click()
    expect(second.get_by_role("alert")).to_contain_text("Your changes have been published.")
    first.reload()
    expect(first.get_by_role("main")).to_contain_text("The operator's words.")


@pytest.mark.parametrize("script", SCRIPT)
def test_a_checklist_is_answered_and_public(
    script: bool, browser: BrowserContext, second_browser: BrowserContext, here: Council
) -> None:
    page, reader = browser.new_page(), second_browser.new_page()
    sign_in(page, here, "officer")
    address = publish(page, here, f"A project with answers, {script}")
    page.get_by_text("Answer a checklist about this project").click()
    page.get_by_role("link", name="Local Digital Declaration").click()
    page.get_by_role("button", name="Start assessment").click()
    page.get_by_role("link", name="Services and technology").click()
    go_through(page, ["Yes"] * 5)
    reader.goto(address)
    section = reader.get_by_role("region", name="Checklists")
    expect(section).to_have_count(0)
    page.get_by_role("button", name="Continue to the list of sections").click()
    page.get_by_role("button", name="Finish assessment").click()
    expect(page.get_by_role("alert")).to_contain_text("You have finished the assessment.")
    reader.goto(address)
    expect(section).to_contain_text("5 of 5 answered: 5 yes")
    section.get_by_role("link", name="View answers").click()
    expect(reader.get_by_role("main")).to_contain_text("Does it help to fix the plumbing?")
