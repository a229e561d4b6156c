"""Keeping a project up to date: reviews, earlier versions, handing over, and unsaved text."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.looking import examine
from tests.journeys.town import Council, publish, sign_in

BRIEF = "## Why\n\nEverybody reads the notices now."


def change(page: Page, address: str, **typed: str) -> None:
    page.goto(f"{address}/edit")
    for label, text in typed.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Publish changes").click()
    expect(page.get_by_role("alert")).to_contain_text("Your changes have been published")


def test_text_in_a_closed_tab_is_restored(browser: BrowserContext, here: Council) -> None:
    page = browser.new_page()
    sign_in(page, here, "officer")
    page.goto(here.url("/projects/new"))
    page.get_by_label("Project name").fill("Typed for an hour")
    page.get_by_label("Brief").fill(BRIEF)
    expect(page.get_by_text("Your text is backed up, but not saved yet.")).to_be_visible()
    page.close()

    page = browser.new_page()
    page.goto(here.url("/projects/new"))
    expect(page.get_by_text("You have unsaved text on this page from")).to_be_visible()
    examine(page)
    page.get_by_role("button", name="Continue with your text").click()
    expect(page.get_by_label("Project name")).to_have_value("Typed for an hour")
    expect(page.get_by_label("Brief")).to_have_value(BRIEF)
    page.get_by_label("Summary").fill("It was not lost.")
    page.get_by_role("radio", name="Alpha").check()
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("The project has been published")
    page.goto(here.url("/projects/new"))
    expect(page.get_by_text("You have unsaved text on this page from")).to_have_count(0)


@pytest.mark.browser(java_script_enabled=False)
def test_without_scripts_a_project_is_confirmed_restored_and_handed_over(
    browser: BrowserContext, here: Council
) -> None:
    page = browser.new_page()
    sign_in(page, here, "officer")
    address = publish(page, here, "Looked after")
    expect(page.get_by_text("Up to date", exact=True)).to_be_visible()
    page.get_by_role("button", name="Confirm it’s up to date").click()
    expect(page.get_by_role("alert")).to_contain_text("The next review is on")
    change(page, address, Summary="Nobody wants this.")
    page.get_by_role("link", name="History of this project").click()
    page.get_by_role("link", name="Version 2", exact=True).click()
    page.get_by_role("button", name="Restore this version").click()
    expect(page.get_by_role("alert")).to_contain_text("Version 2 has been restored.")
    expect(page.get_by_text("Nobody wants this.")).to_have_count(0)
    page.get_by_role("link", name="Hand over this project").click()
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Offer the project").click()
    expect(page.get_by_role("alert")).to_contain_text("The project has been offered to")
