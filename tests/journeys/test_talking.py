"""Updates, comments and likes between two councils."""

from playwright.sync_api import BrowserContext, expect

from tests.journeys.town import Council, publish, sign_in, until


def test_an_update_is_read_and_answered_by_another_council(
    browser: BrowserContext, second_browser: BrowserContext, here: Council, there: Council
) -> None:
    title = "Trees for every street"
    writer, reader = browser.new_page(), second_browser.new_page()
    sign_in(writer, here, "officer")
    address = publish(writer, here, title)
    writer.get_by_role("button", name="Write an update").click()
    writer.get_by_role("button", name="Publish this update").click()
    expect(writer.get_by_role("alert")).to_contain_text("Enter what changed")
    writer.get_by_label("What changed").fill("We planted **forty** trees.\n\n- limes\n- oaks")
    writer.get_by_label("What you need").fill("Someone who has asked residents to water them.")
    writer.get_by_role("button", name="Publish this update").click()
    expect(writer.get_by_role("alert")).to_contain_text("The update has been published.")
    expect(writer.get_by_role("heading", name="What we need")).to_be_visible()

    sign_in(reader, there, "officer")
    link = reader.get_by_role("link", name=title, exact=True)
    until(reader, there.url("/projects?origin=others"), lambda: link.count() == 1)
    link.click()
    copy = reader.url
    update = reader.get_by_text("We planted forty trees.")
    until(reader, copy, lambda: update.count() == 1)
    reader.get_by_role("button", name="Like this project").click()
    expect(reader.get_by_role("button", name="Remove like")).to_be_visible()
    reader.get_by_label("Your comment").fill("We asked schools. *It works.*")
    reader.get_by_role("button", name="Publish comment").click()
    expect(reader.get_by_role("alert")).to_contain_text("Your comment has been published.")

    comment = writer.get_by_role("article", name=f"Comment by {there.name}")
    until(writer, address, lambda: comment.count() == 1)
    expect(comment).to_contain_text(f"@{there.demo.slug}@{there.host}")
    expect(writer.get_by_text("1 like")).to_be_visible()
    comment.get_by_role("link", name="Reply").click()
    expect(writer.get_by_role("heading", level=1)).to_have_text("Reply to a comment")
    writer.get_by_label("Your comment").fill("May we call you about that?")
    writer.get_by_role("button", name="Publish reply").click()
    answer = reader.get_by_text("May we call you about that?")
    until(reader, copy, lambda: answer.count() == 1)

    writer.locator(".moothall-entry__title").get_by_role("link", name="Update from").click()
    writer.get_by_role("link", name="Delete the update").click()
    writer.get_by_role("button", name="Delete the update").click()
    expect(writer.get_by_role("alert")).to_contain_text("The update has been deleted.")
    until(reader, copy, lambda: update.count() == 0)
