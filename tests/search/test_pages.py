"""The pages of search, saved searches, reuse and services, and the search index."""

import html
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from node.database.tables import now
from node.notification_events.models import NotificationEvent
from node.notifications.models import Notification
from node.projects import service as projects
from node.queue import batched_writes
from node.search import indexing, notifications, saved_searches
from node.search.models import SavedSearch
from node.services import service as services
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor
from tests.search.writing import publish, titles

BIN = "Report a missed bin"


@pytest.fixture
def stranger(town: TestNode) -> Visitor:
    return town.visitor()


def test_list_is_filtered_and_shows_filters(stranger: Visitor) -> None:
    page = stranger.visit("/projects?q=bins&phase=beta&tag=waste").text
    assert BIN in page
    assert "Parking permits online" not in page
    assert "1 project" in page
    # Each filter can be removed by itself.
    assert 'href="/projects?phase=beta&amp;tag=waste"' in page
    assert 'href="/projects?q=bins&amp;tag=waste"' in page
    assert "No results match your search." in stranger.visit("/projects?q=giraffe").text


def test_invalid_filters_are_reported_and_kept(stranger: Visitor) -> None:
    page = stranger.visit("/projects?updated_from=yesterday&lgsl=bins&q=missed")
    assert page.status_code == 400
    assert "There is a problem" in page.text
    assert "Enter a real date, for example 27/3/2026" in page.text
    assert 'value="yesterday"' in page.text
    assert 'value="bins"' in page.text
    later = stranger.visit("/projects?starts_from=2/1/2026&starts_to=1/1/2026")
    assert "Last day must be the same as or after the first day" in later.text


@pytest.mark.parametrize(
    "order, message",
    [
        ("ends", "This order leaves out projects that have ended or have no end date."),
        ("contract", "This order leaves out projects whose contract has ended or has no end date."),
    ],
)
def test_page_says_which_projects_order_leaves_out(
    stranger: Visitor, order: str, message: str
) -> None:
    assert message in stranger.visit(f"/projects?sort={order}").text
    assert "This order leaves out" not in stranger.visit("/projects").text


def test_titles_are_suggested(stranger: Visitor) -> None:
    stranger.visit("/search/suggest?q=report+a+mis")
    assert [suggestion["value"] for suggestion in stranger.page.get_json()["suggestions"]] == [BIN]
    stranger.visit("/search/suggest?q=only+for")
    assert stranger.page.get_json()["suggestions"] == []


def test_suggested_titles_are_in_language_of_page(stranger: Visitor) -> None:
    for language, title in (("en", "Warm homes for all"), ("cy", "Tŷ cynnes i bawb")):
        response = stranger.visit(f"/search/suggest?q=cynnes&lang={language}").json
        assert response
        assert [suggestion["value"] for suggestion in response["suggestions"]] == [title]


def test_exports_and_portfolio_have_filters_of_search(stranger: Visitor) -> None:
    query = "q=bins&phase=beta&tag=waste"
    page = html.unescape(stranger.visit(f"/projects?{query}").text)
    for path in ("projects.atom", "projects.json", "projects.csv", "projects.feed.json"):
        assert f'href="/{path}?{query}"' in page
        export = stranger.visit(f"/{path}?{query}").text
        assert ("Report a missed bin" in export, "Parking permits" in export) == (True, False)
    assert f'href="/calendar.ics?{query}"' in page
    atom = html.unescape(stranger.visit(f"/projects.atom?{query}").text)
    assert f'href="https://aldermoor.test/projects?{query}" type="text/html"' in atom.replace(
        'rel="alternate" ', ""
    )
    assert f'href="/portfolio?{query}"' in page
    for path in ("/portfolio", "/portfolio/timeline", "/portfolio/calendar", "/calendar.ics"):
        month = "from=2026-01&month=2026-01"
        view = stranger.visit(f"{path}?{query}&{month}").text
        assert ("Report a missed bin" in view, "Parking permits" in view) == (True, False)
    assert f"calendar.ics?{query}" in html.unescape(
        stranger.visit(f"/portfolio/calendar?{query}").text
    )
    board = html.unescape(stranger.visit(f"/portfolio?{query}").text)
    assert "Tag: <strong>waste</strong>" in board
    assert 'href="/portfolio?q=bins&phase=beta"' in board, "each filter can be removed"
    region = stranger.visit("/portfolio/map?q=parking").text
    assert ">1<" in region
    assert ">2<" not in region.partition("<table")[2]
    assert stranger.visit("/projects.json?starts_from=x").status_code == 400


def test_exports_have_order_of_search(stranger: Visitor) -> None:
    def read(address: str) -> Any:
        return stranger.visit(address).json

    def titles(query: str) -> list[str]:
        return [project["title"] for project in read(f"/{query}")["projects"]]

    by_change = titles("projects.json")
    by_title = titles("projects.json?sort=title")
    assert by_title == sorted(by_change, key=str.casefold) != by_change
    assert titles("projects.json?sort=updated") == by_change
    table = stranger.visit("/projects.csv?sort=title").text
    positions = [table.index(f"\n{title}") for title in by_title if "," not in title]
    assert positions == sorted(positions)
    feed = read("/projects.feed.json?sort=title")["items"]
    assert [item["title"] for item in feed] == by_title
    by_end = titles("projects.json?sort=ends")
    assert by_end[-1] == "Parking permits online"
    assert titles("api/v1/projects?sort=ends") == by_end
    first = read("/api/v1/projects?sort=title&limit=3")
    next_page = read(first["next"])
    both_pages = first["projects"] + next_page["projects"]
    assert [project["title"] for project in both_pages] == by_title[:6]
    assert titles("api/v1/projects?sort=title&changed_since=2999-01-01T00:00:00Z") == []
    assert stranger.visit("/api/v1/projects?sort=omega").status_code == 400


def test_reuse_page_is_searched(stranger: Visitor) -> None:
    page = stranger.visit("/reuse").text
    assert "3 results" in page
    assert page.index("Missed bin form") < page.index("Permit data standard")
    assert "Used by 2 councils" in page
    assert "1 result" in stranger.visit("/reuse?q=form").text
    assert "Permit data standard" in stranger.visit("/reuse?licence=apache").text
    assert "Service pattern" in stranger.visit("/reuse?licence=ogl").text
    assert "Missed bin form" in stranger.visit("/reuse?adopted=yes&q=brackwell").text
    for query in ("adopted=yes&licence=apache", 'q="*'):
        assert "No results match your search." in stranger.visit(f"/reuse?{query}").text


def test_services_are_found_by_number_and_words(stranger: Visitor) -> None:
    assert "Find out about potholes" in stranger.visit("/services?q=pothole").text
    assert "Find out about potholes" in stranger.visit("/services?q=557").text
    for word in ("bin", "Bins", "refuse", "rubbish collected"):
        assert "which day the refuse is collected" in stranger.visit(f"/services?q={word}").text
    stranger.visit("/services/suggest?q=gritting")
    assert stranger.page.get_json()["suggestions"][0]["value"] == "561"


def test_services_and_projects_link_to_each_other(stranger: Visitor) -> None:
    assert 'href="/services"' in stranger.visit("/projects").text
    assert 'href="/projects?lgsl=524"' in stranger.visit("/services?q=524").text
    listed = stranger.visit("/projects?lgsl=524").text
    assert BIN in listed
    address = re.search(rf'href="(/projects/[\w-]+)"[^>]*>{BIN}', listed)
    assert address
    assert 'href="/projects?lgsl=524"' in stranger.visit(address[1]).text


def test_list_of_services_is_loaded(nodes: Nodes, tmp_path: Path) -> None:
    node = nodes.start("aldermoor")
    file = tmp_path / "services.csv"
    file.write_text("Label,LGSL ID\nGritting of roads,561\nBad,number\n", encoding="utf-8")
    with node.work() as work:
        assert services.load_csv(work, file) == 1
    with node.reading() as session:
        assert services.get_name(session, 561) == "Gritting of roads"
        assert dict(services.get_names(session)) == {561: "Gritting of roads"}


def test_search_is_saved_renamed_and_deleted(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    publish(node, BIN, phase="beta")
    officer, operator = node.visitor("officer"), node.visitor("operator")
    officer.visit("/searches/new?q=bin&phase=beta")
    officer.submit("searches/new", name=" ")
    assert "Enter a name for the search" in officer.text
    officer.submit("searches/new", name="Bins")
    assert "/projects?q=bin&amp;phase=beta" in officer.text
    with node.reading() as session:
        token = session.query(SavedSearch).one().token
    assert operator.visit(f"/searches/{token}").status_code == 404
    officer.visit(f"/searches/{token}")
    officer.submit(token, name="All bins")
    assert "All bins" in officer.text
    officer.submit("delete")
    assert "All bins" not in officer.text


def test_saved_search_notifies_once_about_new_projects(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    publish(node, "Old bins")
    officer = node.visitor("officer")
    officer.visit("/searches/new?q=bins")
    officer.submit("searches/new", name="Bins", alerts="y")
    publish(node, "New bins")
    publish(node, "Parking")
    nodes.run_until_idle()
    for hours in (1, 2):
        notifications.run_job(node.node, now() + timedelta(hours=hours))
    nodes.run_until_idle()
    page = officer.visit("/notices").text
    with node.reading() as session:
        sent = session.scalars(select(Notification).join(NotificationEvent)).all()
    assert [notification.happening.kind for notification in sent] == [notifications.NEW_MATCH.name]
    assert "New bins" in page
    assert "Old bins" not in page
    assert "Parking" not in page


def test_number_of_saved_searches_is_limited(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    officer = node.visitor("officer")
    for number in range(saved_searches.MAX_PER_PERSON + 1):
        officer.visit("/searches/new?q=bins")
        officer.submit("searches/new", name=f"Number {number}")
    assert "You have 50 saved searches, which is the maximum." in officer.text


def test_other_councils_project_is_found_until_deleted(nodes: Nodes) -> None:
    here, there = nodes.pair()
    token = publish(there, "Gritting by sensors", tags=("roads",))
    officer = here.visitor("officer")
    officer.visit("/councils/follow")
    officer.submit("follow", address=there.council_uri)
    nodes.run_until_idle()
    assert titles(here, q="sensor", tag="roads", origin="others") == ["Gritting by sensors"]
    assert titles(here, q="brackwell") == ["Gritting by sensors"]
    with there.work() as work:
        projects.delete(work, projects.get_for_update(work.session, token))
    nodes.run_until_idle()
    assert titles(here, q="sensor") == []


def test_index_is_rebuilt_in_batches(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batched_writes, "BATCH_SIZE", 2)
    node = nodes.start("aldermoor")
    for number in range(5):
        publish(node, f"Bins {number}")
    with node.work() as work:
        assert indexing.rebuild(work) == 5
        assert indexing.count_waiting(work.session) == 2
    batched_writes.run_job(node.node, [indexing.REBUILD_INDEX])
    with node.reading() as session:
        assert indexing.count_waiting(session) == 5
    indexing.run_job(node.node)
    assert titles(node, q="bins") == [f"Bins {number}" for number in reversed(range(5))]


def test_index_is_rebuilt(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    publish(node, "Old bins")
    with node.work() as work:
        assert indexing.rebuild(work) == 1
    indexing.run_job(node.node)
    assert titles(node, q="bins") == ["Old bins"]
    with node.reading() as session:
        assert indexing.count_waiting(session) == 0


def test_hidden_project_is_not_found(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    token = publish(node, "Old bins")
    with node.work() as work:
        project = projects.get_for_update(work.session, token)
        project.is_hidden = True
    assert titles(node, q="bins") == []
    with node.work() as work:
        projects.get_for_update(work.session, token).is_hidden = False
    assert titles(node, q="bins") == ["Old bins"]
