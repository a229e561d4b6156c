"""Publishing without a pointer: Tab leads to everything, and one always sees where one is."""

from playwright.sync_api import BrowserContext, FloatRect, Locator, Page, expect

from node.demo.councils import DEMO_PASSWORD
from tests.journeys.town import BRIEF, SUMMARY, Council, sign_in

FOCUSED = """() => {
    const box = document.activeElement.getBoundingClientRect()
    return {x: box.x - 8, y: box.y - 8, width: box.width + 16, height: box.height + 16}
}"""
# More stops than any page has before its form ends.
MOST_STOPS = 60


def tab_to(page: Page, target: Locator, *, looking: bool = True) -> None:
    """Press Tab until `target` has the focus, which shows at every stop on the way."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if looking:
            check_focus_shows(page)
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"Tab does not lead to {target}")


def check_focus_shows(page: Page) -> None:
    """What has the focus is on the screen, and looks different once it has lost it."""
    focus = page.evaluate_handle("document.activeElement")
    name = focus.evaluate("element => element.outerHTML.slice(0, 200)")
    box = page.evaluate(FOCUSED)
    size = page.viewport_size
    assert size, "the page has a size"
    left, top = max(box["x"], 0), max(box["y"], 0)
    width = min(box["x"] + box["width"], size["width"]) - left
    height = min(box["y"] + box["height"], size["height"]) - top
    assert min(width, height) > 0, f"the focus is off the screen: {name}"
    area = FloatRect(x=left, y=top, width=width, height=height)
    seen = page.screenshot(clip=area)
    focus.evaluate("element => element.blur()")
    unfocused = page.screenshot(clip=area)
    focus.evaluate("element => element.focus()")
    assert seen != unfocused, f"the focus does not show: {name}"


def test_a_project_is_published_with_the_keyboard_alone(
    browser: BrowserContext, here: Council
) -> None:
    page = browser.new_page()
    page.goto(here.url())
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to main content")
    expect(skip).to_be_focused()
    check_focus_shows(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("Tab")
    first = page.get_by_role("main").get_by_role("link").first
    expect(first).to_be_focused()

    page.goto(here.url())
    tab_to(page, page.get_by_role("link", name="Sign in"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    tab_to(page, page.get_by_label("Email address"))
    page.keyboard.type(here.demo.email("officer"))
    tab_to(page, page.get_by_label("Password", exact=True))
    page.keyboard.type(DEMO_PASSWORD)
    tab_to(page, page.get_by_role("button", name="Sign in"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()

    tab_to(page, page.get_by_role("button", name="Publish a project"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Publish a project")
    tab_to(page, page.get_by_label("Project name"))
    page.keyboard.type("Written without a mouse")
    tab_to(page, page.get_by_label("Summary"))
    page.keyboard.type(SUMMARY)
    tab_to(page, page.get_by_role("radio", name="Concept"))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Discovery")).to_be_checked()
    check_focus_shows(page)
    tab_to(page, page.get_by_label("Brief"))
    page.keyboard.insert_text(BRIEF)
    tab_to(page, page.get_by_role("button", name="Publish", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text("The project has been published")
    expect(page.get_by_role("heading", level=1)).to_have_text("Written without a mouse")


def test_a_project_is_found_updated_and_followed_with_the_keyboard_alone(
    browser: BrowserContext, here: Council
) -> None:
    page = browser.new_page()
    sign_in(page, here, "officer")
    title = "Taxi licence renewals without the post"

    def go(target: Locator, typed: str = "") -> None:
        tab_to(page, target, looking=False)
        page.keyboard.type(typed)
        page.keyboard.press("Enter")

    page.goto(here.url("/projects"))
    go(page.get_by_label("Search projects"), "taxi renewals")
    go(page.get_by_role("link", name=title, exact=True))
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    go(page.get_by_role("button", name="Write an update"))
    tab_to(page, page.get_by_label("What changed"), looking=False)
    page.keyboard.type("Drivers have tried it.")
    go(page.get_by_role("button", name="Publish this update"))
    expect(page.get_by_role("alert")).to_contain_text("The update has been published.")
    go(page.get_by_role("button", name="Follow this project"))
    expect(page.get_by_role("alert")).to_be_focused()
