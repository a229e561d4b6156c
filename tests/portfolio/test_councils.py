"""What the portfolio says of councils: map, network, numbers, and each council's page."""

import math
import re
import xml.etree.ElementTree as ET

import pytest

from node.projects.details import Adopter, Details, Output
from node.testing.nodes import Nodes, TestNode
from tests.portfolio.conftest import Town
from tests.portfolio.places import SVG, pictures, publish, table, words


def test_the_map_has_our_council_and_followed_councils(town: Town) -> None:
    page = town.stranger.visit("/portfolio/map").text
    (picture,) = pictures(page)
    assert words(picture).split()[-2:] == ["2", "1"], "ours is drawn last, above others"
    assert len(list(picture.iter(f"{SVG}circle"))) == 1
    facts = table(page)
    for text in ("Aldermoor Council", "South West", "Brackwell Council", "Wales"):
        assert text in facts
    wales = facts.rpartition(">Wales<")[2].partition("</tr>")[0]
    assert wales.count(">1</td>") == 2, "one council with one project"


def test_a_council_without_a_location_is_only_in_the_table(lone: TestNode) -> None:
    page = lone.visitor().visit("/portfolio/map").text
    (picture,) = pictures(page)
    assert list(picture.iter(f"{SVG}circle")) == []
    assert "Not given, not on the map" in table(page)


def test_the_network_has_follows_and_reuse(town: Town) -> None:
    page = town.stranger.visit("/portfolio/network").text
    (picture,) = pictures(page)
    assert "Brackwell Council" in words(picture)
    assert "Aldermoor Council" in words(picture)
    lines = [each.get("class") for each in picture.iter(f"{SVG}path")]
    assert lines == ["picture-tie picture-tie--uses"]
    facts = table(page)
    assert "Aldermoor Council follows Brackwell Council" in facts
    assert "Aldermoor Council reuses" in facts
    assert ">A map<" in facts
    (again,) = pictures(town.stranger.visit("/portfolio/network").text)
    assert ET.tostring(again) == ET.tostring(picture), "the same ties make the same picture"


def test_the_network_shows_a_council_known_only_by_name(lone: TestNode) -> None:
    assert "No connections between councils yet" in lone.visitor().visit("/portfolio/network").text
    given = Output(token="x", title="A <b>form", adopters=(Adopter("Nether <i>Stow"),))
    publish(lone, "Forms", Details(outputs=(given,)))
    page = lone.visitor().visit("/portfolio/network").text
    (picture,) = pictures(page)
    assert "Nether <i>Stow" in words(picture)
    assert "Nether &lt;i&gt;Stow reuses" in table(page)


@pytest.mark.parametrize("role, total", [(None, 3), ("officer", 5)])
def test_the_numbers_count_what_the_reader_can_see(
    role: str | None, total: int, town: Town
) -> None:
    page = town.here.visitor(role).visit("/numbers").text
    assert f'figure__number">{total}<' in page
    phases, months = pictures(page)
    alpha = words(phases).partition("Alpha ")[2].split()[0]
    assert alpha == "2"
    assert 'href="/projects?phase=alpha">2<' in table(page)
    assert words(months).split()[-1] == "2", "two updates this month"
    assert 'figure__number">1</span> organisation reusing others’ work' in page


def test_each_number_links_to_what_it_counts(town: Town) -> None:
    visitor = town.stranger
    page = visitor.visit("/numbers").text
    month = table(page).rpartition('href="/highlights?')[2].partition('"')[0]
    report = visitor.visit(f"/highlights?{month.replace('&amp;', '&')}").text
    assert "We tried it." in report
    assert "We counted them." in report


def test_the_numbers_show_followers(town: Town) -> None:
    assert "No followers yet." in town.stranger.visit("/numbers").text
    page = town.there.visitor().visit("/numbers").text
    followers = page.partition('id="followers"')[2]
    assert ">Aldermoor Council</a>" in followers


def test_a_councils_page_shows_its_projects_and_connection(town: Town) -> None:
    ours = town.stranger.visit("/councils/aldermoor").text
    for text in ("South West", "Alpha: 1", "Concept: 1", "/evidence"):
        assert text in ours
    number = town.stranger.visit("/councils").text.partition('href="/councils/')[2].split('"')[0]
    theirs = town.stranger.visit(f"/councils/{number}").text
    for text in ("Wales", "Alpha: 1", "1 output, reused 1 time", "Working. Last contact"):
        assert text in theirs
    assert f"/portfolio/timeline?council={number}" in theirs
    assert f"/councils/{number}/calendar.ics" in theirs


def test_a_council_with_several_names_is_drawn_once(nodes: Nodes) -> None:
    here, there = nodes.pair()
    here.follow(there)
    nodes.run_until_idle()
    for title, adopter in (
        ("Forms", Adopter("BRACKWELL council")),
        ("Maps", Adopter("Brackwell", f"{there.node.settings.base_url}/")),
        ("Signs", Adopter("Brackwell Borough", there.council_uri)),
    ):
        given = Output(token="x", title=f"{title} for all", adopters=(adopter,))
        publish(here, title, Details(outputs=(given,)))
    page = here.visitor().visit("/portfolio/network").text
    (picture,) = pictures(page)
    assert len(list(picture.iter(f"{SVG}circle"))) == 1
    assert words(picture).count("Brackwell") == 1
    assert page.count('<th scope="row"') == 1
    numbers = here.visitor().visit("/numbers").text
    assert 'figure__number">1</span> organisation reusing others’ work' in numbers

    # With more lines than there will ever be, none meets a council or a name that it is not of.
    towns = [f"The Royal Borough of Town Number {number}" for number in range(23)]
    everybody = tuple(Adopter(name) for name in towns)
    for node in (here, there):
        shared = Output(token="y", title="A form", adopters=everybody)
        publish(node, "For everybody", Details(outputs=(shared,)))
    nodes.run_until_idle()
    (picture,) = pictures(here.visitor().visit("/portfolio/network").text)
    (ours,) = (each for each in picture.iter(f"{SVG}rect"))
    middle = tuple(float(ours.get(name, "")) + 13 for name in ("x", "y"))
    others = [
        (float(each.get("cx", "")), float(each.get("cy", "")))
        for each in picture.iter(f"{SVG}circle")
    ]
    lines = [points(each.get("d", "")) for each in picture.iter(f"{SVG}path")]
    assert (len(others), len(lines)) == (24, 24 + 23)
    for line in lines:
        for spot in {middle, *others} - {line[0], line[-1]}:
            assert min(math.dist(spot, point) for point in line) > 15, "the dot, and half a line"
    width, height = float(picture.get("width", "")), float(picture.get("height", ""))
    inside = {x for line in lines for x, _y in line}
    for text in picture.iter(f"{SVG}text"):
        for part in text.iter(f"{SVG}tspan"):
            x, y = float(part.get("x", "")), float(part.get("y", ""))
            assert 0 < y < height
            if text.get("text-anchor") == "end":
                assert 210 < x < min(inside)
            elif text.get("text-anchor") == "start":
                assert max(inside) < x < width - 210
            else:
                assert y < min(y for line in lines for _x, y in line), "above all lines"


def points(path: str) -> list[tuple[float, float]]:
    """Points on a line of a picture, which is straight or a quadratic curve, close together."""
    numbers = [float(number) for number in re.findall(r"[\d.]+", path)]
    (x, y), (last_x, last_y) = numbers[:2], numbers[-2:]
    bend_x, bend_y = numbers[2:4] if "Q" in path else ((x + last_x) / 2, (y + last_y) / 2)
    steps = [step / 200 for step in range(201)]
    return [
        (
            (1 - t) ** 2 * x + 2 * t * (1 - t) * bend_x + t**2 * last_x,
            (1 - t) ** 2 * y + 2 * t * (1 - t) * bend_y + t**2 * last_y,
        )
        for t in steps
    ]
