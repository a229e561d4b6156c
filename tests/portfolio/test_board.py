"""The board: every project in the column of its phase, for those who may read it."""

import re
from urllib.parse import urlencode

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
def test_an_unknown_choice_is_ignored(typed: str, town: Town) -> None:
    assert ">Bins<" in town.stranger.visit(f"/portfolio?{typed}").text


FORM = re.compile(r'<form action="([^"]*)" method="get" aria-label="More filters".*?</form>', re.S)


@pytest.mark.parametrize(
    "address, kept",
    [
        ("/portfolio", {}),
        ("/portfolio/map", {}),
        ("/numbers", {}),
        ("/portfolio/timeline", {"months": "24", "from": "2031-01"}),
        ("/portfolio/calendar", {"month": "2031-05"}),
        ("/highlights", {"from": "2031-01-01", "to": "2031-01-31"}),
    ],
)
def test_a_view_has_filters_that_keep_its_address(
    address: str, kept: dict[str, str], town: Town
) -> None:
    query = urlencode({"phase": "alpha", "q": "bins", "tag": "a & b", **kept})
    page = town.stranger.visit(f"{address}?{query}").text
    form = FORM.search(page)
    assert form
    assert form[1] == address
    for name, value in kept.items():
        assert f'type="hidden" name="{name}" value="{value}"' in form[0]
    assert re.search(r'name="q"[^>]* value="bins"', form[0])
    assert re.search(r'name="tag"[^>]* value="a &amp; b"', form[0])
    assert re.search(r'name="phase"[^>]* value="alpha"( checked|>)', form[0]), "chosen or kept"
    assert f'href="{address}?q=bins&amp;phase=alpha&amp;tag=a+%26+b&amp;contract_from=' in form[0]


def test_an_invalid_filter_shows_an_error(town: Town) -> None:
    page = town.stranger.visit("/portfolio?ends_to=someday").text
    assert "There is a problem" in page
    assert 'href="#ends_to"' in page
    assert 'id="ends_to-error"' in page
    assert re.search(r"<details[^>]* open", page)
    assert ">Bins<" in page


@pytest.mark.parametrize(
    "before, back",
    [
        ("/projects?q=bins&phase=alpha&page=2", "/projects?q=bins&amp;phase=alpha&amp;page=2"),
        ("/portfolio?tag=a+%26+b", "/portfolio?tag=a+%26+b"),
        ("/portfolio/map?origin=ours", "/portfolio/map?origin=ours"),
        ("/projects/drafts", "/projects"),
        ("/councils?page=2", "/projects"),
        ("/nothing", "/projects"),
        ("", "/projects"),
    ],
)
def test_back_to_projects_keeps_the_search(before: str, back: str, town: Town) -> None:
    headers = {"Referer": f"https://{town.here.host}{before}"} if before else {}
    client = town.here.app.test_client()
    page = client.get(f"/projects/{town.bins}", headers=headers | {"Accept": "text/html"}).text
    assert f'<a href="{back}" class="govuk-back-link">Back to projects</a>' in page


@pytest.mark.parametrize(
    "before", ["https://elsewhere.example/projects?q=x", "https://[/projects?q=x", "javascript:x"]
)
def test_back_to_projects_leads_nowhere_else(before: str, town: Town) -> None:
    headers = {"Referer": before, "Accept": "text/html"}
    page = town.here.app.test_client().get(f"/projects/{town.bins}", headers=headers).text
    assert '<a href="/projects" class="govuk-back-link">Back to projects</a>' in page
