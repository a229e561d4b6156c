"""What an operator sees and decides when another council's server is refused."""

from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.test_sharing import listed
from tests.journeys.town import Council, publish, sign_in, until


def decide(page: Page, council: Council, host: str, button: str, outcome: str) -> None:
    page.goto(council.url("/operator/peers"))
    page.get_by_role("button", name=f"{button} {host}").click()
    expect(page.get_by_role("alert")).to_contain_text(f"{host} has been {outcome}.")


def follow(page: Page, council: Council, other: Council) -> None:
    page.goto(council.url("/councils/follow"))
    page.get_by_label("Address of the council").fill(other.address)
    page.get_by_role("button", name="Follow", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text(
        f"Your council has asked to follow {other.name}."
    )


def test_a_refused_server_is_seen_and_allowed(
    browser: BrowserContext,
    second_browser: BrowserContext,
    here: Council,
    there: Council,
) -> None:
    sender, receiver = browser.new_page(), second_browser.new_page()
    sign_in(sender, here, "operator")
    sign_in(receiver, there, "operator")
    decide(receiver, there, here.host, "Block", "blocked")
    publish(sender, here, "Said to a closed door")

    row = receiver.get_by_role("row").filter(has_text=here.host)
    until(receiver, there.url("/operator/refusals"), lambda: row.count() > 0)
    expect(row).to_contain_text("The server is blocked, or is not an allowed server")
    delivery = sender.get_by_role("row").filter(has_text="(403)").first
    until(sender, here.url("/operator/deliveries"), lambda: delivery.count() > 0)
    expect(delivery).to_contain_text("Waiting")
    expect(delivery).to_contain_text("Published")
    delivery.locator("summary").get_by_text("1 attempt").click()
    expect(delivery.get_by_role("listitem")).to_contain_text("ms)")

    row.get_by_role("link", name="Allow or block servers").click()
    receiver.get_by_role("button", name=f"Allow {here.host}").click()
    expect(receiver.get_by_role("alert")).to_contain_text(f"{here.host} has been allowed.")
    # Blocking ended what there was between them.
    follow(receiver, there, here)
    follow(sender, here, there)
    title = "Said to an open door"
    publish(sender, here, title)
    projects = there.url("/projects?origin=others")
    until(receiver, projects, lambda: listed(receiver, title))
    delivered = sender.get_by_role("row").filter(has_text="Delivered").first
    until(sender, here.url("/operator/deliveries"), lambda: "Published" in delivered.inner_text())
    expect(delivered).to_contain_text("Accepted (202)")
