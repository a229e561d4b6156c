"""An officer's first day: a project is written whole through the pages, published and found."""

from playwright.sync_api import BrowserContext, Page, expect

from node.demo.councils import DEMO_PASSWORD
from tests.journeys.looking import examine
from tests.journeys.pace import Person
from tests.journeys.test_checklists import answer
from tests.journeys.town import Council, sign_in

TITLE = "Garden waste renewals in one letter"
SUMMARY = "Residents renew in a minute from one letter, without an account."
FIVE_MINUTES = 300


def test_an_officer_publishes_a_complete_project_within_five_minutes_and_finds_it(
    browser: BrowserContext, second_browser: BrowserContext, here: Council
) -> None:
    page, reader = browser.new_page(), second_browser.new_page()
    person = Person(page)
    page.goto(here.url())
    person.press(page.get_by_role("link", name="Sign in", exact=True))
    person.type(page.get_by_label("Email address"), here.demo.email("officer"))
    person.type(page.get_by_label("Password", exact=True), DEMO_PASSWORD)
    person.press(page.get_by_role("button", name="Sign in"))
    person.press(page.get_by_role("button", name="Publish a project").first)
    person.type(page.get_by_label("Project name"), TITLE)
    person.type(page.get_by_label("Summary"), SUMMARY)
    person.choose(page.get_by_role("radio", name="Beta"))
    person.press(page.get_by_role("button", name="Save as draft"))
    expect(page.get_by_role("alert")).to_contain_text("The draft has been saved")

    write_every_part(person)
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    address = page.url
    reader.goto(address)
    expect(reader.get_by_role("heading", level=1)).to_have_text("Page not found")
    person.press(page.get_by_role("button", name="Publish", exact=True))
    expect(page.get_by_role("alert")).to_contain_text("The project has been published")
    assert person.seconds < FIVE_MINUTES, str(person)
    examine(page)

    reader.goto(here.url("/projects?origin=ours&phase=beta"))
    reader.get_by_role("link", name=TITLE).click()
    for words in ("Half of them phone.", "resident with a garden", "Waste services", "garden"):
        expect(reader.get_by_role("main")).to_contain_text(words)
    expect(reader.get_by_role("link", name="The board")).to_have_attribute(
        "href", "https://board.example.gov.uk/"
    )


def write_every_part(person: Person) -> None:
    """From the first part to the last, by the button that leads on."""
    page = person.page
    person.press(page.get_by_role("link", name="Brief", exact=True))
    person.type(page.get_by_label("Why the work is being done"), "Renewals come in spring.")
    person.type(page.get_by_label("Problem to be solved"), "Half of them phone. It is slow.")
    person.type(page.get_by_label("Who the users are"), "Residents with a garden; call takers.")
    go_on(person, "User needs")
    person.type(page.get_by_label("As a").first, "resident with a garden")
    person.type(page.get_by_label("I need").first, "to renew in a minute")
    person.type(page.get_by_label("So that").first, "my bin is not missed")
    person.type(page.get_by_label("How you know about this need").first, "Twelve interviews")
    go_on(person, "Dates, budget and working with others")
    start = page.get_by_role("group", name="Start date", exact=True)
    for part, number in (("Day", "1"), ("Month", "2"), ("Year", "2027")):
        person.type(start.get_by_label(part), number)
    person.choose(page.get_by_role("radio", name="Up to £50,000"))
    person.choose(page.get_by_role("radio", name="Share effort"))
    go_on(person, "Department and contact")
    person.type(page.get_by_label("Department or service"), "Waste services")
    expect(page.get_by_label("Contact’s name")).to_have_value("Tom Ellery")
    person.type(page.get_by_label("Contact’s email address"), "bins@aldermoor.example")
    go_on(person, "Subject")
    person.type(page.get_by_label("Tags"), "garden, letters")
    go_on(person, "Links")
    person.type(page.get_by_label("Address").first, "https://board.example.gov.uk/")
    person.type(page.get_by_label("Link text").first, "The board")
    go_on(person, "Outputs")
    person.type(page.get_by_label("What you can reuse").first, "Letter template")
    person.type(page.get_by_label("Licence").first, "OGL v3.0")
    person.press(page.get_by_role("button", name="Save", exact=True))
    expect(page.get_by_role("alert")).to_contain_text("The draft has been saved")


def go_on(person: Person, heading: str) -> None:
    person.press(person.page.get_by_role("button", name="Save and continue"))
    expect(person.page.get_by_role("heading", level=1)).to_have_text(heading)


def finish(page: Page) -> None:
    """Answer what a checklist still asks, and finish it."""
    onwards = page.get_by_role("button", name="Continue to the list of sections")
    unfinished = page.locator(".govuk-task-list__item", has_not_text="Completed")
    while page.get_by_role("button", name="Finish assessment").count() == 0:
        if page.get_by_role("button", name="Save and continue").count():
            answer(page, "Yes")
        elif onwards.count():
            with page.expect_navigation():
                onwards.click()
        else:
            with page.expect_navigation():
                unfinished.get_by_role("link").first.click()
    page.get_by_role("button", name="Finish assessment").click()


def test_a_desk_is_cleared_and_then_says_that_nothing_is_on_it(
    browser: BrowserContext, there: Council
) -> None:
    page = browser.new_page()
    sign_in(page, there, "officer")
    page.goto(there.url("/desk"))
    main = page.get_by_role("main")
    while main.get_by_role("button", name="Confirm it’s up to date").count():
        main.get_by_role("button", name="Confirm it’s up to date").first.click()
        expect(page.get_by_role("alert")).to_contain_text("The next review is on")
        page.goto(there.url("/desk"))
    while main.get_by_role("button", name="View action").count():
        main.get_by_role("button", name="View action").first.click()
        page.get_by_role("button", name="Mark as done").click()
        expect(page.get_by_role("alert")).to_contain_text("The action has been marked as done.")
        page.goto(there.url("/desk"))
    main.get_by_role("button", name="Continue assessment").click()
    finish(page)
    expect(page.get_by_role("alert")).to_contain_text("You have finished the assessment.")
    page.goto(there.url("/desk"))
    # Nobody is notified of what they did themselves.
    expect(page.get_by_role("button", name="Read notifications")).to_have_count(0)
    expect(main).to_contain_text("Nothing needs your attention")
    expect(main.get_by_role("button", name="Publish a project")).to_be_visible()
    examine(page)
