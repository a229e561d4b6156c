"""What the portfolio says of councils: map, network, numbers, and each council's page."""

import xml.etree.ElementTree as ET

import pytest

from node.projects.details import Adopter, Details, Output
from node.testing.nodes import TestNode
from tests.portfolio.conftest import Town
from tests.portfolio.places import SVG, pictures, publish, table, words


def test_the_map_has_ours_and_those_that_we_follow(town: Town) -> None:
    page = town.stranger.visit("/portfolio/map").text
    (picture,) = pictures(page)
    assert words(picture).split()[-2:] == ["2", "1"], "ours is drawn last, above others"
    assert len(list(picture.iter(f"{SVG}circle"))) == 1
    facts = table(page)
    for said in ("Aldermoor Council", "South West", "Brackwell Council", "Wales"):
        assert said in facts
    wales = facts.rpartition(">Wales<")[2].partition("</tr>")[0]
    assert wales.count(">1</td>") == 2, "one council with one project"


def test_a_council_that_says_not_where_it_is_stands_in_the_table(lone: TestNode) -> None:
    page = lone.visitor().visit("/portfolio/map").text
    (picture,) = pictures(page)
    assert list(picture.iter(f"{SVG}circle")) == []
    assert "Not said, not on the map" in table(page)


def test_the_network_has_follows_and_reuse(town: Town) -> None:
    page = town.stranger.visit("/portfolio/network").text
    (picture,) = pictures(page)
    assert "Brackwell Council" in words(picture)
    assert "Aldermoor Council" in words(picture)
    lines = [each.get("class") for each in picture.iter(f"{SVG}path")]
    assert lines == ["picture-tie picture-tie--uses"]
    facts = table(page)
    assert "Aldermoor Council follows Brackwell Council" in facts
    assert "Aldermoor Council uses" in facts
    assert ">A map<" in facts
    (again,) = pictures(town.stranger.visit("/portfolio/network").text)
    assert ET.tostring(again) == ET.tostring(picture), "the same ties make the same picture"


def test_the_network_takes_a_council_that_is_only_a_name(lone: TestNode) -> None:
    assert "No ties between councils yet" in lone.visitor().visit("/portfolio/network").text
    given = Output(token="x", title="A <b>form", adopters=(Adopter("Nether <i>Stow"),))
    publish(lone, "Forms", Details(outputs=(given,)))
    page = lone.visitor().visit("/portfolio/network").text
    (picture,) = pictures(page)
    assert "Nether <i>Stow" in words(picture)
    assert "Nether &lt;i&gt;Stow uses" in table(page)


@pytest.mark.parametrize("role, total", [(None, 3), ("officer", 5)])
def test_the_numbers_are_of_what_the_reader_may_see(
    role: str | None, total: int, town: Town
) -> None:
    page = town.here.visitor(role).visit("/numbers").text
    assert f'figure__number">{total}<' in page
    phases, months = pictures(page)
    alpha = words(phases).partition("Alpha ")[2].split()[0]
    assert alpha == "2"
    assert 'href="/projects?phase=alpha">2<' in table(page)
    assert words(months).split()[-1] == "2", "two updates this month"
    assert 'figure__number">1</span> organisation reuses something' in page


def test_each_number_leads_to_what_is_counted(town: Town) -> None:
    visitor = town.stranger
    page = visitor.visit("/numbers").text
    month = table(page).rpartition('href="/highlights?')[2].partition('"')[0]
    report = visitor.visit(f"/highlights?{month.replace('&amp;', '&')}").text
    assert "We tried it." in report
    assert "We counted them." in report


def test_the_numbers_say_who_follows_us(town: Town) -> None:
    assert "Nobody yet" in town.stranger.visit("/numbers").text
    page = town.there.visitor().visit("/numbers").text
    followers = page.partition('id="followers"')[2]
    assert ">Aldermoor Council</a>" in followers


def test_a_councils_page_says_what_it_leads_and_how_its_node_is(town: Town) -> None:
    ours = town.stranger.visit("/councils/aldermoor").text
    for said in ("South West", "Alpha: 1", "Concept: 1", "/evidence"):
        assert said in ours
    number = town.stranger.visit("/councils").text.partition('href="/councils/')[2].split('"')[0]
    theirs = town.stranger.visit(f"/councils/{number}").text
    for said in ("Wales", "Alpha: 1", "1 thing, used 1 time", "It works: last heard from"):
        assert said in theirs
    assert f"/portfolio/timeline?council={number}" in theirs
    assert f"/councils/{number}/calendar.ics" in theirs
