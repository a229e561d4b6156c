"""A fresh node, from the address that it prints to its front page."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from node.settings import ENVIRONMENT_PREFIX
from node.testing.processes import free_port
from tests.journeys.looking import examine
from tests.journeys.test_sharing import SCRIPT
from tests.journeys.town import program

PASSWORD = "three dry acorns fell"


@pytest.mark.parametrize("script", SCRIPT)
def test_a_server_is_set_up_at_the_address_that_it_prints(
    script: bool, browser: BrowserContext, tmp_path: Path
) -> None:
    base = f"http://localhost:{free_port()}"
    ours = {
        ENVIRONMENT_PREFIX + "BASE_URL": base,
        ENVIRONMENT_PREFIX + "DATA_DIR": str(tmp_path / "data"),
    }
    outside = {
        name: value for name, value in os.environ.items() if not name.startswith(ENVIRONMENT_PREFIX)
    }
    page = browser.new_page()
    with program(tmp_path, "serve", environment=outside | ours) as wait_for_line:
        address = wait_for_line("Set up the server at").removeprefix("Set up the server at ")
        page.goto(base)
        expect(page.get_by_role("heading", level=1)).to_have_text(
            "This server is ready to be set up"
        )
        if script:
            examine(page)
        page.goto(address)
        page.get_by_label("Council name").fill("Copperbeck Borough Council")
        page.get_by_role("button", name="Set up this server").click()
        problem = page.get_by_role("alert")
        expect(problem).to_contain_text("There is a problem")
        expect(page.get_by_label("Council name")).to_have_value("Copperbeck Borough Council")
        if script:
            examine(page)
        page.get_by_label("Short name").fill("copperbeck")
        page.get_by_label("Colour (optional)").fill("#7a3b0c")
        page.get_by_label("Your name").fill("Ada Thorne")
        page.get_by_label("Your email address").fill("ada.thorne@copperbeck.example")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Set up this server").click()
        expect(page.get_by_role("alert")).to_contain_text("Your server is ready.")
        expect(page.get_by_text("Ada Thorne")).to_be_attached()
        expect(page.get_by_role("heading", name="Get started in 2 steps")).to_be_visible()
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_have_text("Page not found")
