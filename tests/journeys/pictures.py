"""Makes the pictures in the README: `./dev run python -m tests.journeys.pictures`."""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from node.testing.browser import CHROMIUM_ARGUMENTS
from tests.journeys.town import demonstration, publish, sign_in, until

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
PORT = 5101


def make() -> None:
    """Take pictures of the home page of a council and of the page of a project, not signed in."""
    with (
        tempfile.TemporaryDirectory() as folder,
        demonstration(Path(folder), PORT) as (here, there),
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(CHROMIUM_ARGUMENTS)
        )
        officer = chromium.new_page(locale="en-GB")
        sign_in(officer, here, "officer")
        publish(officer, here, "Street works, explained before they begin")
        page = chromium.new_page(viewport={"width": 1280, "height": 920}, locale="en-GB")
        theirs = page.get_by_text(f"Published by {there.name}")
        others = here.url("/projects?origin=others")
        until(page, others, lambda: theirs.count() == len(there.demo.projects()))
        page.goto(here.url())
        page.screenshot(path=FOLDER / "home.png")
        page.goto(here.url("/projects?origin=ours"))
        page.get_by_role("link", name="One place to report a missed bin").click()
        page.screenshot(path=FOLDER / "project.png")
        chromium.close()


if __name__ == "__main__":
    make()
