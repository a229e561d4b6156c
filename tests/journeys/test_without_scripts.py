"""Everything works in a browser that runs no scripts; and in either language, on any page."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from node.demo.councils import DEMO_PASSWORD
from tests.journeys.town import SUMMARY, Council, sign_in, until

TITLE = "School clubs in one list"
pytestmark = pytest.mark.browser(java_script_enabled=False)


def test_without_scripts_a_project_is_written_reviewed_found_followed_and_handed_over(
    browser: BrowserContext, second_browser: BrowserContext, here: Council, there: Council
) -> None:
    officer, other = browser.new_page(), second_browser.new_page()
    sign_in(officer, here, "officer")
    write_in_parts(officer, here)
    address = officer.url
    officer.get_by_role("button", name="Send for review").click()
    officer.get_by_role("radio", name=here.demo.coordinator).check()
    officer.get_by_role("button", name="Send for review").click()
    expect(officer.get_by_role("alert")).to_contain_text(here.demo.coordinator)

    sign_in(other, here, "coordinator")
    other.goto(here.url("/desk"))
    draft = other.get_by_role("listitem").filter(has_text=TITLE)
    draft.get_by_role("button", name="Review draft").click()
    other.get_by_role("button", name="Publish", exact=True).click()
    expect(other.get_by_role("alert")).to_contain_text("The project has been published")

    officer.goto(address)
    officer.get_by_role("button", name="Write an update").click()
    officer.get_by_label("What changed").fill("Two schools list their clubs.")
    officer.get_by_role("button", name="Publish this update").click()
    expect(officer.get_by_role("alert")).to_contain_text("The update has been published.")
    officer.get_by_role("link", name="Hand over this project").click()
    officer.get_by_role("radio", name=here.demo.coordinator).check()
    officer.get_by_role("button", name="Offer the project").click()
    other.goto(here.url("/desk"))
    offer = other.get_by_role("listitem").filter(has_text=TITLE)
    offer.get_by_role("button", name="Reply").click()
    other.get_by_role("button", name="Accept").click()
    expect(other.get_by_role("alert")).to_contain_text("You are now the owner of this project.")

    sign_in(other, there, "officer")
    link = other.get_by_role("link", name=TITLE, exact=True)
    until(other, there.url("/projects?origin=others"), lambda: link.count() == 1)
    find_keep_and_follow(other, there)


def write_in_parts(page: Page, council: Council) -> None:
    """A draft with more than one of a kind, which buttons add and remove without saving."""
    page.goto(council.url("/projects/new"))
    page.get_by_label("Project name").fill(TITLE)
    page.get_by_label("Summary").fill(SUMMARY)
    page.get_by_role("radio", name="Alpha").check()
    page.get_by_role("button", name="Save as draft").click()
    page.get_by_role("link", name="User needs", exact=True).click()
    page.get_by_label("As a").fill("parent")
    page.get_by_role("button", name="Add another").click()
    page.get_by_label("As a").nth(1).fill("coach")
    page.get_by_role("button", name="Add another").click()
    page.get_by_role("button", name="Remove").nth(2).click()
    for place, need in enumerate(("to see every club", "to say when we meet")):
        page.get_by_label("I need").nth(place).fill(need)
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_role("radio", name="Share effort").check()
    page.get_by_role("button", name="Save", exact=True).click()
    for words in ("to see every club", "to say when we meet", "Share effort"):
        expect(page.get_by_role("main")).to_contain_text(words)


def find_keep_and_follow(page: Page, council: Council) -> None:
    """By a word and a filter; the search is kept, the project followed."""
    page.goto(council.url("/projects"))
    page.get_by_label("Search projects").fill("school clubs")
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_role("checkbox", name="Alpha").check()
    page.get_by_role("button", name="Apply filters").click()
    page.get_by_role("link", name="Save this search").click()
    page.get_by_label("Name").fill("Clubs")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("The search has been saved.")
    page.get_by_role("link", name="Clubs", exact=True).click()
    page.get_by_role("link", name=TITLE, exact=True).click()
    page.get_by_role("button", name="Follow this project").click()
    expect(page.get_by_role("alert")).to_be_visible()


def test_the_language_changes_and_the_page_stays(browser: BrowserContext, here: Council) -> None:
    page = browser.new_page()
    page.goto(here.url("/projects?q=bin&phase=beta&sort=title"))
    languages = page.get_by_role("navigation", name="Language")
    languages.get_by_role("link", name="Cymraeg").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Prosiectau")
    expect(page.locator("#q")).to_have_value("bin")
    assert "q=bin&phase=beta&sort=title" in page.url

    page.goto(here.url("/desk"))
    expect(heading).to_have_text("Mewngofnodi")
    page.get_by_role("link", name="English").click()
    expect(heading).to_have_text("Sign in")
    page.get_by_label("Email address").fill(here.demo.email("officer"))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("There is a problem")
    page.get_by_role("link", name="Cymraeg").click()
    expect(heading).to_have_text("Mewngofnodi")
    page.locator("input[type=email]").fill(here.demo.email("officer"))
    page.locator("input[type=password]").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Mewngofnodi").click()
    expect(page).to_have_url(here.url("/desk"))
    page.get_by_role("link", name="English").click()
    expect(heading).to_have_text("Your desk")
