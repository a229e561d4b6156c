"""A checklist is answered in the browser at two councils, shared, compared, and taken back."""

import re
from collections.abc import Sequence

from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.looking import examine
from tests.journeys.town import Council, sign_in, until

CHECKLIST = "/checklists/reporting-done-right"
PAGE = "Is there a page to report it on, not only an address to write to?"
QUESTIONS = 7


def begin(page: Page, council: Council) -> None:
    page.goto(council.url("/checklists"))
    page.get_by_role("link", name="Reporting done right").click()
    page.get_by_role("button", name="Start assessment").click()
    page.get_by_label("The whole council").check()
    page.get_by_role("button", name="Start assessment").click()
    expect(page.get_by_role("main")).to_contain_text("0 of 7 answered")
    page.get_by_role("link", name="Telling the council").click()


def answer(page: Page, words: str) -> None:
    page.get_by_label(words, exact=True).check()
    save(page)


def save(page: Page) -> None:
    """Save, and wait for the next page."""
    with page.expect_navigation():
        page.get_by_role("button", name="Save and continue").click()


def go_through(page: Page, answers: Sequence[str]) -> None:
    """Answer the next questions, and continue with the next section after the last of one."""
    for words in answers:
        if page.get_by_role("button", name="Continue to the list of sections").is_visible():
            with page.expect_navigation():
                page.get_by_role("button", name="Continue to the list of sections").click()
            page.locator(".govuk-task-list__item", has_text="Not started").first.get_by_role(
                "link"
            ).click()
        answer(page, words)


def finish_and_share(page: Page) -> None:
    page.get_by_role("button", name="Continue to the list of sections").click()
    page.get_by_role("button", name="Finish assessment").click()
    expect(page.get_by_role("alert")).to_contain_text("You have finished the assessment.")
    page.get_by_role("link", name="Share with other councils").click()
    page.get_by_role("button", name="Share these answers").click()
    expect(page.get_by_role("alert")).to_contain_text("The answers are now shared")


def wait_for_comparison(page: Page, council: Council, *councils: Council) -> None:
    """Wait until `council` shows all of `councils` in its comparison."""
    names = re.compile("|".join(each.name for each in councils))
    rows = page.get_by_role("row").filter(has_text=names)
    until(page, council.url(f"{CHECKLIST}/councils"), lambda: rows.count() == len(councils))


def test_two_councils_answer_a_checklist_and_compare(
    browser: BrowserContext, second_browser: BrowserContext, here: Council, there: Council
) -> None:
    theirs, ours = second_browser.new_page(), browser.new_page()
    sign_in(theirs, there, "coordinator")
    begin(theirs, there)
    theirs.get_by_label("Note").fill("For us alone")
    theirs.get_by_label("Web address").fill("https://reports.example/page")
    theirs.get_by_label("Title").fill("Our page for reports")
    go_through(theirs, ["Yes"] * QUESTIONS)
    finish_and_share(theirs)

    sign_in(ours, here, "coordinator")
    compare = here.url(f"{CHECKLIST}/councils")
    row = ours.get_by_role("row").filter(has_text=there.name)
    until(ours, compare, lambda: row.count() == 1)
    expect(ours.get_by_role("row").filter(has_text=here.name)).to_have_count(0)

    begin(ours, here)
    examine(ours)
    answer(ours, "No")
    expect(ours.get_by_role("main")).to_contain_text("Put a form online")
    expect(ours.get_by_role("main")).to_contain_text(there.name)
    expect(ours.get_by_role("link", name="Our page for reports")).to_be_visible()
    expect(ours.get_by_role("main")).not_to_contain_text("For us alone")
    examine(ours)
    ours.get_by_label("Planned action").fill("Build the page")
    save(ours)
    go_through(ours, ["Yes"] * (QUESTIONS - 1))
    examine(ours)
    finish_and_share(ours)
    expect(ours.get_by_role("link", name="Build the page")).to_be_visible()
    examine(ours)

    for page, council in ((ours, here), (theirs, there)):
        wait_for_comparison(page, council, here, there)
        entry = page.locator(".moothall-entry").filter(has_text=PAGE)
        expect(entry).to_contain_text(re.compile(f"Yes\\s+{there.name}\\s+No\\s+{here.name}"))
    examine(ours)

    theirs.get_by_role("link", name="Back to the checklist").click()
    theirs.get_by_role("main").get_by_role("link", name=there.name).first.click()
    theirs.get_by_role("link", name="View shared answers").click()
    theirs.get_by_role("button", name="Stop sharing").click()
    expect(theirs.get_by_role("alert")).to_contain_text("no longer shared")
    until(ours, compare, lambda: row.count() == 0)
