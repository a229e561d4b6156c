"""The timeline: a picture and a table that say the same."""

import pytest

from tests.portfolio.conftest import Town
from tests.portfolio.places import SVG, pictures, table, words

IN_2031 = "/portfolio/timeline?from=2031-01"


def test_picture_and_table_say_the_same(town: Town) -> None:
    page = town.stranger.visit(IN_2031).text
    (picture,) = pictures(page)
    for title in ("Bins (Alpha)", "Trees (Alpha)"):
        assert title in words(picture)
    facts = table(page)
    for said in ("Bins", "Trees", "3 February 2031", "29 August 2031", "31 October 2031"):
        assert said in facts
    assert "29 August 2031</time> (estimated)" in facts
    assert "3 February 2031</time> (estimated)" not in facts
    marks = [
        each.get("class") or "" for each in picture.iter() if "mark--" in (each.get("class") or "")
    ]
    assert sorted(marks) == [
        "picture-mark picture-mark--assessment",
        "picture-mark picture-mark--contract",
    ]


def test_an_estimated_end_and_one_that_nobody_knows_are_drawn_open(town: Town) -> None:
    (picture,) = pictures(town.stranger.visit(IN_2031).text)
    drawn = [each for each in picture.iter(f"{SVG}rect") if each.get("class") == "picture-open"]
    assert [each.get("fill") for each in drawn] == ["url(#hatch)"] * 2


def test_a_project_that_has_ended_has_a_mark_for_its_contract_and_no_bar(town: Town) -> None:
    (picture,) = pictures(town.stranger.visit("/portfolio/timeline?from=2031-09").text)
    bars = [
        each
        for each in picture.iter(f"{SVG}rect")
        if each.get("class") == "picture-ink" and each.get("x")
    ]
    assert len(bars) == 1, "of the trees; the bins ended in August"
    assert "Bins (Alpha)" in words(picture)
    classes = [each.get("class") or "" for each in picture.iter()]
    assert "picture-mark picture-mark--contract" in classes


@pytest.mark.parametrize(
    "choice, seen",
    [
        ("from=2031-01", True),
        ("from=2030-01", False),
        ("from=2030-01&months=24", True),
        ("from=2027-01&months=60", True),
        ("from=2031-01&phase=beta", False),
        ("from=2031-01&origin=others", False),
    ],
)
def test_it_shows_what_touches_the_time_that_was_chosen(
    choice: str, seen: bool, town: Town
) -> None:
    page = town.stranger.visit(f"/portfolio/timeline?{choice}").text
    assert (">Bins</a>" in page) is seen


@pytest.mark.parametrize(
    "typed", ["from=2031-13", "from=9999-01", "from=0000-00", "from=x", "months=7", "months=x"]
)
def test_a_time_that_is_none_is_not_heard(typed: str, town: Town) -> None:
    assert town.stranger.visit(f"/portfolio/timeline?{typed}").status_code == 200


def test_the_first_and_the_last_years_have_no_others_beyond(town: Town) -> None:
    for typed in ("from=1970-01&months=60", "from=2999-12&months=60"):
        assert town.stranger.visit(f"/portfolio/timeline?{typed}").status_code == 200


@pytest.mark.parametrize("role, seen", [(None, False), ("officer", True)])
def test_only_our_officers_see_what_is_not_public(role: str | None, seen: bool, town: Town) -> None:
    page = town.here.visitor(role).visit(IN_2031).text
    assert ("Wages" in page, "Ponds" in page) == (seen, seen)


def test_projects_without_dates_are_counted(town: Town) -> None:
    assert (
        "1 project has no dates, so it is not on the timeline." in town.stranger.visit(IN_2031).text
    )
