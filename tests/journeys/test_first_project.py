"""An officer's first day: a project is written whole through the pages, published and found."""

from playwright.sync_api import BrowserContext, Page, expect

from node.demo.councils import PASSWORD
from tests.journeys.looking import examine
from tests.journeys.town import SUMMARY, Council, sign_in

TITLE = "Garden waste renewals in one letter"


def test_an_officer_writes_every_part_publishes_and_finds_it(
    browser: BrowserContext, second_browser: BrowserContext, here: Council
) -> None:
    page, reader = browser.new_page(), second_browser.new_page()
    page.goto(here.url())
    page.get_by_role("link", name="Sign in", exact=True).click()
    page.get_by_label("Email address").fill(here.demo.email("officer"))
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Projects").click()
    page.get_by_role("button", name="Publish a project").click()
    page.get_by_label("Name of the project").fill(TITLE)
    page.get_by_label("Summary").fill(SUMMARY)
    page.get_by_role("radio", name="Beta").check()
    page.get_by_role("button", name="Save as draft").click()
    expect(page.get_by_role("alert")).to_contain_text("The draft is saved")

    write_every_part(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    address = page.url
    reader.goto(address)
    expect(reader.get_by_role("heading", level=1)).to_have_text("Page not found")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("The project is published")
    examine(page)

    reader.goto(here.url("/projects?origin=ours&phase=beta"))
    reader.get_by_role("link", name=TITLE).click()
    for words in ("Renewals come in spring.", "resident with a garden", "Waste services", "garden"):
        expect(reader.get_by_role("main")).to_contain_text(words)
    expect(reader.get_by_role("link", name="The board")).to_have_attribute(
        "href", "https://board.example.gov.uk/"
    )


def write_every_part(page: Page) -> None:
    """From the first part to the last, by the button that leads on."""
    page.get_by_role("link", name="Brief", exact=True).click()
    page.get_by_label("Why the work is being done").fill("Renewals come in spring.")
    go_on(page, "User needs")
    page.get_by_label("As a").first.fill("resident with a garden")
    page.get_by_label("I need").first.fill("to renew in a minute")
    page.get_by_label("How you know").first.fill("Twelve interviews")
    go_on(page, "Dates, budget and working together")
    for part, number in (("Day", "31"), ("Month", "2"), ("Year", "2027")):
        start = page.get_by_role("group", name="Start", exact=True)
        start.get_by_label(part).fill(number)
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("alert")).to_contain_text("There is a problem")
    examine(page)
    start.get_by_label("Day").fill("28")
    go_on(page, "Department and contact")
    page.get_by_label("Department or service").fill("Waste services")
    go_on(page, "Subject")
    page.get_by_label("Tags").fill("garden, letters")
    go_on(page, "Links")
    page.get_by_label("Address").first.fill("https://board.example.gov.uk/")
    page.get_by_label("Words of the link").first.fill("The board")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("The draft is saved")


def go_on(page: Page, heading: str) -> None:
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)


def test_a_desk_is_cleared_and_then_says_that_nothing_is_on_it(
    browser: BrowserContext, there: Council
) -> None:
    page = browser.new_page()
    sign_in(page, there, "officer")
    page.goto(there.url("/desk"))
    main = page.get_by_role("main")
    while main.get_by_role("button", name="Still true").count():
        main.get_by_role("button", name="Still true").first.click()
        expect(page.get_by_role("alert")).to_contain_text("The next review is on")
        page.goto(there.url("/desk"))
    page.get_by_role("button", name="Read them").click()
    page.get_by_role("button", name="Mark all as read").click()
    page.get_by_role("link", name="Desk", exact=True).click()
    expect(main).to_contain_text("Nothing needs your attention")
    expect(main.get_by_role("button", name="Publish a project")).to_be_visible()
    examine(page)
