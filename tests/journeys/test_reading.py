"""Public pages with the projects of two councils, and pages for officers and operators."""

from playwright.sync_api import BrowserContext, expect

from tests.journeys.looking import examine
from tests.journeys.town import Council, sign_in, until


def test_pages_with_projects_read_well(
    browser: BrowserContext, here: Council, there: Council
) -> None:
    page = browser.new_page()
    theirs = page.get_by_text(f"Published by {there.name}")
    # Not the front page: other journeys publish, and it shows the latest few only.
    until(page, here.url("/projects?origin=others"), lambda: theirs.count() > 0)
    examine(page)
    page.goto(here.url())
    examine(page)
    page.goto(here.url("/councils"))
    page.get_by_role("link", name=there.name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(there.name)
    current = page.get_by_role("navigation", name="Main").locator("[aria-current]")
    expect(current).to_have_text("Councils")
    examine(page)


def test_pages_to_write_on_read_well(browser: BrowserContext, here: Council) -> None:
    page = browser.new_page()
    sign_in(page, here, "operator")
    page.goto(here.url("/projects?origin=ours"))
    page.get_by_role("link", name="One place to report a missed bin").click()
    page.get_by_role("button", name="Change this project").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Change this project")
    page.get_by_text("How to use Markdown").click()
    examine(page)
    page.goto(here.url("/operator/peers"))
    examine(page)
