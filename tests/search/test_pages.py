"""Finding on pages, searches that are kept, the catalogue, services; and what arrives from afar."""

import html
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from node import long_writes
from node.db import now
from node.events.models import NotificationEvent
from node.notifications.models import Notification
from node.projects import service as projects
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


def test_the_list_is_narrowed_down_and_says_how(stranger: Visitor) -> None:
    page = stranger.visit("/projects?q=bins&phase=beta&tag=waste").text
    assert BIN in page
    assert "Parking permits online" not in page
    assert "1 project" in page
    # Each part can be taken away by itself.
    assert 'href="/projects?phase=beta&amp;tag=waste"' in page
    assert 'href="/projects?q=bins&amp;tag=waste"' in page
    assert "Nothing fits what you chose" in stranger.visit("/projects?q=giraffe").text


def test_what_cannot_be_read_is_said_and_kept(stranger: Visitor) -> None:
    page = stranger.visit("/projects?updated_from=yesterday&lgsl=bins&q=missed")
    assert page.status_code == 400
    assert "There is a problem" in page.text
    assert "Enter a real date, for example 27/3/2026" in page.text
    assert 'value="yesterday"' in page.text
    assert 'value="bins"' in page.text
    later = stranger.visit("/projects?starts_from=2/1/2026&starts_to=1/1/2026")
    assert "Last day must be the same as or after the first day" in later.text


@pytest.mark.parametrize(
    "order, words",
    [
        ("ends", "those without an end date, are left out in this order"),
        ("contract", "those that give no end of a contract, are left out in this order"),
    ],
)
def test_an_order_that_leaves_projects_out_says_so(
    stranger: Visitor, order: str, words: str
) -> None:
    assert words in stranger.visit(f"/projects?sort={order}").text
    assert "left out in this order" not in stranger.visit("/projects").text


def test_titles_are_suggested(stranger: Visitor) -> None:
    stranger.visit("/search/suggest?q=report+a+mis")
    assert [one["value"] for one in stranger.page.get_json()["suggestions"]] == [BIN]
    stranger.visit("/search/suggest?q=only+for")
    assert stranger.page.get_json()["suggestions"] == []


def test_titles_stand_in_the_language_of_the_page(stranger: Visitor) -> None:
    for language, title in (("en", "Warm homes for all"), ("cy", "Tŷ cynnes i bawb")):
        found = stranger.visit(f"/search/suggest?q=cynnes&lang={language}").json
        assert found
        assert [each["value"] for each in found["suggestions"]] == [title]


def test_what_is_found_is_read_by_programs_and_seen_as_pictures(stranger: Visitor) -> None:
    asked = "q=bins&phase=beta&tag=waste"
    page = html.unescape(stranger.visit(f"/projects?{asked}").text)
    for path in ("projects.atom", "projects.json", "projects.csv", "projects.feed.json"):
        assert f'href="/{path}?{asked}"' in page
        found = stranger.visit(f"/{path}?{asked}").text
        assert ("Report a missed bin" in found, "Parking permits" in found) == (True, False)
    assert f'href="/calendar.ics?{asked}"' in page
    atom = html.unescape(stranger.visit(f"/projects.atom?{asked}").text)
    assert f'href="https://aldermoor.test/projects?{asked}" type="text/html"' in atom.replace(
        'rel="alternate" ', ""
    )
    assert f'href="/portfolio?{asked}"' in page
    for path in ("/portfolio", "/portfolio/timeline", "/portfolio/calendar", "/calendar.ics"):
        month = "from=2026-01&month=2026-01"
        found = stranger.visit(f"{path}?{asked}&{month}").text
        assert ("Report a missed bin" in found, "Parking permits" in found) == (True, False)
    assert f"calendar.ics?{asked}" in html.unescape(
        stranger.visit(f"/portfolio/calendar?{asked}").text
    )
    board = html.unescape(stranger.visit(f"/portfolio?{asked}").text)
    assert "Tag: <strong>waste</strong>" in board
    assert 'href="/portfolio?q=bins&phase=beta"' in board, "each part can be taken away"
    region = stranger.visit("/portfolio/map?q=parking").text
    assert ">1<" in region
    assert ">2<" not in region.partition("<table")[2]
    assert stranger.visit("/projects.json?starts_from=x").status_code == 400


def test_programs_get_the_order_that_was_chosen(stranger: Visitor) -> None:
    def read(address: str) -> Any:
        return stranger.visit(address).json

    def titles(asked: str) -> list[str]:
        return [each["title"] for each in read(f"/{asked}")["projects"]]

    changed = titles("projects.json")
    found = titles("projects.json?sort=title")
    assert found == sorted(changed, key=str.casefold) != changed
    assert titles("projects.json?sort=updated") == changed
    table = stranger.visit("/projects.csv?sort=title").text
    places = [table.index(f"\n{title}") for title in found if "," not in title]
    assert places == sorted(places)
    feed = read("/projects.feed.json?sort=title")["items"]
    assert [each["title"] for each in feed] == found
    ending = titles("projects.json?sort=ends")
    assert ending[-1] == "Parking permits online"
    assert titles("api/v1/projects?sort=ends") == ending
    first = read("/api/v1/projects?sort=title&limit=3")
    rest = read(first["next"])
    assert [each["title"] for part in (first, rest) for each in part["projects"]] == found[:6]
    assert titles("api/v1/projects?sort=title&changed_since=2999-01-01T00:00:00Z") == []
    assert stranger.visit("/api/v1/projects?sort=omega").status_code == 400


def test_the_catalogue_is_searched_by_itself(stranger: Visitor) -> None:
    page = stranger.visit("/reuse").text
    assert "3 results" in page
    assert page.index("Missed bin form") < page.index("Permit data standard")
    assert "Used by 2 councils" in page
    assert "1 result" in stranger.visit("/reuse?q=form").text
    assert "Permit data standard" in stranger.visit("/reuse?licence=apache").text
    assert "Service pattern" in stranger.visit("/reuse?licence=ogl").text
    assert "Missed bin form" in stranger.visit("/reuse?adopted=yes&q=brackwell").text
    assert "Nothing fits" in stranger.visit("/reuse?adopted=yes&licence=apache").text
    assert "Nothing fits" in stranger.visit('/reuse?q="*').text


def test_services_are_known_by_number_and_words(stranger: Visitor) -> None:
    assert "Find out about potholes" in stranger.visit("/services?q=pothole").text
    assert "Find out about potholes" in stranger.visit("/services?q=557").text
    for word in ("bin", "Bins", "refuse", "rubbish collected"):
        assert "which day the refuse is collected" in stranger.visit(f"/services?q={word}").text
    stranger.visit("/services/suggest?q=gritting")
    assert stranger.page.get_json()["suggestions"][0]["value"] == "561"


def test_services_are_reached_from_projects_and_projects_from_services(stranger: Visitor) -> None:
    assert 'href="/services"' in stranger.visit("/projects").text
    assert 'href="/projects?lgsl=524"' in stranger.visit("/services?q=524").text
    listed = stranger.visit("/projects?lgsl=524").text
    assert BIN in listed
    address = re.search(rf'href="(/projects/[\w-]+)"[^>]*>{BIN}', listed)
    assert address
    assert 'href="/projects?lgsl=524"' in stranger.visit(address[1]).text


def test_a_list_of_services_is_loaded(nodes: Nodes, tmp_path: Path) -> None:
    node = nodes.start("aldermoor")
    file = tmp_path / "services.csv"
    file.write_text("Label,LGSL ID\nGritting of roads,561\nBad,number\n", encoding="utf-8")
    with node.work() as work:
        assert services.load_csv(work, file) == 1
    with node.reading() as session:
        assert services.get_name(session, 561) == "Gritting of roads"
        assert dict(services.get_all(session)) == {561: "Gritting of roads"}


def test_a_search_is_kept_renamed_and_deleted(nodes: Nodes) -> None:
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


def test_whoever_keeps_a_search_is_told_once_of_what_is_new(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    publish(node, "Bins of before")
    officer = node.visitor("officer")
    officer.visit("/searches/new?q=bins")
    officer.submit("searches/new", name="Bins", alerts="y")
    publish(node, "Bins of today")
    publish(node, "Parking")
    nodes.run_until_idle()
    for hours in (1, 2):
        notifications.run_job(node.node, now() + timedelta(hours=hours))
    nodes.run_until_idle()
    page = officer.visit("/notices").text
    with node.reading() as session:
        told = session.scalars(select(Notification).join(NotificationEvent)).all()
    assert [notice.happening.kind for notice in told] == [notifications.NEW_MATCH.name]
    assert "Bins of today" in page
    assert "Bins of before" not in page
    assert "Parking" not in page


def test_a_person_keeps_so_many_searches_and_no_more(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    officer = node.visitor("officer")
    for number in range(saved_searches.MAX_PER_PERSON + 1):
        officer.visit("/searches/new?q=bins")
        officer.submit("searches/new", name=f"Number {number}")
    assert "You have 50 searches" in officer.text


def test_a_project_of_another_council_is_found_and_lost_with_it(nodes: Nodes) -> None:
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


def test_the_index_is_made_anew_in_portions(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_writes, "BATCH_SIZE", 2)
    node = nodes.start("aldermoor")
    for number in range(5):
        publish(node, f"Bins {number}")
    with node.work() as work:
        assert indexing.rebuild(work) == 5
        assert indexing.count_waiting(work.session) == 2
    long_writes.run_job(node.node, [indexing.REBUILD_INDEX])
    with node.reading() as session:
        assert indexing.count_waiting(session) == 5
    indexing.run_job(node.node)
    assert titles(node, q="bins") == [f"Bins {number}" for number in reversed(range(5))]


def test_the_index_is_made_anew(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    publish(node, "Bins of before")
    with node.work() as work:
        assert indexing.rebuild(work) == 1
    indexing.run_job(node.node)
    assert titles(node, q="bins") == ["Bins of before"]
    with node.reading() as session:
        assert indexing.count_waiting(session) == 0


def test_what_is_hidden_or_becomes_private_is_found_no_more(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    token = publish(node, "Bins of before")
    with node.work() as work:
        project = projects.get_for_update(work.session, token)
        project.is_hidden = True
    assert titles(node, q="bins") == []
    with node.work() as work:
        projects.get_for_update(work.session, token).is_hidden = False
    assert titles(node, q="bins") == ["Bins of before"]
