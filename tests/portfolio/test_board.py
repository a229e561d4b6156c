"""The board: every project in the column of its phase, for those who may read it."""

import pytest

from node.councils import service as councils
from tests.portfolio.conftest import Town


def columns(page: str) -> dict[str, str]:
    """What stands in each column, by its phase."""
    parts = page.split('aria-labelledby="phase-')[1:]
    return {part.partition('"')[0]: part.partition("</section>")[0] for part in parts}


def test_each_project_stands_in_its_phase(town: Town) -> None:
    board = columns(town.stranger.visit("/portfolio").text)
    assert list(board) == ["concept", "discovery", "alpha", "beta", "live", "retired"]
    assert f'href="/projects/{town.bins}"' in board["alpha"]
    assert "Brackwell Council" in board["alpha"], "another council's too"
    assert "Nothing &lt;said&gt; &amp; done" in board["concept"]
    assert ">None<" in board["retired"]


@pytest.mark.parametrize("role, seen", [(None, False), ("officer", True)])
def test_what_not_everybody_may_see_is_for_our_own_people(
    role: str | None, seen: bool, town: Town
) -> None:
    page = town.here.visitor(role).visit("/portfolio").text
    assert ("Wages" in page, "Ponds" in page) == (seen, seen)
    total = columns(page)["live"].partition("board__total")[2]
    assert total.startswith(f'">{int(seen)}<')


@pytest.mark.parametrize("choice, bins, trees", [("ours", True, False), ("others", False, True)])
def test_it_can_be_cut_down_to_ours_or_others(
    choice: str, bins: bool, trees: bool, town: Town
) -> None:
    page = town.stranger.visit(f"/portfolio?origin={choice}").text
    assert (">Bins<" in page, ">Trees<" in page) == (bins, trees)


def test_it_can_be_cut_down_to_a_council(town: Town) -> None:
    visitor = town.stranger
    with town.here.reading() as session:
        own = councils.require_own(session).id
    page = visitor.visit(f"/portfolio?council={own}").text
    assert (">Bins<" in page, ">Trees<" in page) == (True, False)
    assert visitor.visit("/portfolio?council=999999").status_code == 404
    numbers = visitor.visit(f"/numbers?council={own}").text
    for asked in ("phase=alpha", "freshness=fresh"):
        assert f'href="/projects?council={own}&amp;{asked}"' in numbers


@pytest.mark.parametrize(
    "typed", ["council=x", "council=-1", "phase=x", "origin=x", "page=99999999999999"]
)
def test_a_choice_that_is_none_is_not_heard(typed: str, town: Town) -> None:
    assert ">Bins<" in town.stranger.visit(f"/portfolio?{typed}").text
