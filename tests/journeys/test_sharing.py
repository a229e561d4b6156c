"""The main job, clicked through: one council follows another, and sees its projects come and go."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.town import Council, publish, sign_in, until

SCRIPT = [
    pytest.param(True, id="with-script"),
    pytest.param(False, id="without-script", marks=pytest.mark.browser(java_script_enabled=False)),
]


def listed(page: Page, title: str) -> bool:
    return page.get_by_role("link", name=title, exact=True).count() == 1


@pytest.mark.parametrize("script", SCRIPT)
def test_an_operator_follows_a_council_by_its_address(
    script: bool, browser: BrowserContext, here: Council, there: Council
) -> None:
    page = browser.new_page()
    sign_in(page, there, "operator")
    page.goto(there.url("/councils"))
    page.get_by_role("button", name=f"Unfollow {here.name}").click()
    expect(page.get_by_role("alert")).to_contain_text(
        f"Your council no longer follows {here.name}."
    )
    projects = there.url("/projects?origin=others")
    page.goto(projects)
    expect(page.get_by_role("heading", name="No projects to show")).to_be_visible()

    page.goto(there.url("/councils"))
    page.get_by_role("button", name="Follow a council").click()
    page.get_by_label("Address of the council").fill("@nobody@" + here.host)
    page.get_by_role("button", name="Follow", exact=True).click()
    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("There is a problem")
    problem.get_by_role("link").click()
    field = page.get_by_label("Address of the council")
    expect(field).to_be_focused()
    expect(field).to_have_value("@nobody@" + here.host)
    field.fill(here.address)
    page.get_by_role("button", name="Follow", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text(
        f"Your council has asked to follow {here.name}."
    )
    row = page.get_by_role("row").filter(has_text=here.address)
    until(page, there.url("/councils"), lambda: "Following" in row.inner_text())
    until(page, projects, lambda: listed(page, "One place to report a missed bin"))


@pytest.mark.parametrize("script", SCRIPT)
def test_a_project_is_published_changed_and_deleted(
    script: bool,
    browser: BrowserContext,
    second_browser: BrowserContext,
    here: Council,
    there: Council,
) -> None:
    title = f"Street works, explained {'with' if script else 'without'} a script"
    officer, reader = browser.new_page(), second_browser.new_page()
    sign_in(officer, here, "officer")
    address = publish(officer, here, title)
    until(reader, there.url("/projects?origin=others"), lambda: listed(reader, title))
    entry = reader.get_by_role("listitem").filter(has=reader.get_by_role("link", name=title))
    expect(entry).to_contain_text(f"Published by {here.name} · {here.host}")
    entry.get_by_role("link", name=title).click()
    copy = reader.url
    expect(reader.get_by_role("main")).to_contain_text(f"This project belongs to {here.name}")
    expect(reader.get_by_role("link", name=f"View the original on {here.host}")).to_have_attribute(
        "href", address
    )
    expect(reader.get_by_role("heading", name="Why")).to_be_visible()

    officer.get_by_role("button", name="Change this project").click()
    officer.get_by_label("Project name").fill(f"{title}, again")
    officer.get_by_role("radio", name="Beta").check()
    officer.get_by_role("button", name="Publish changes").click()
    expect(officer.get_by_role("alert")).to_contain_text("Your changes have been published.")
    heading = reader.get_by_role("heading", level=1)
    until(reader, copy, lambda: heading.inner_text() == f"{title}, again")
    expect(reader.get_by_role("main")).to_contain_text(re.compile(r"Phase\s*Beta"))

    officer.get_by_role("link", name="Delete this project").click()
    officer.get_by_role("button", name="Delete the project").click()
    expect(officer.get_by_role("alert")).to_contain_text("The project has been deleted.")
    until(reader, copy, lambda: heading.inner_text() == "This has been deleted")
    reader.goto(there.url("/projects"))
    assert not listed(reader, f"{title}, again")
