"""The evidence pack and the highlight report."""

from datetime import UTC, datetime, timedelta

import pytest

from node.projects.models import Visibility
from node.testing.nodes import Nodes, TestNode
from node.testing.peer import Peer
from tests.portfolio.conftest import Town
from tests.portfolio.places import publish, tell


def section(page: str, name: str) -> str:
    return page.partition(f'aria-labelledby="{name}"')[2].partition("</section>")[0]


def test_the_pack_says_what_we_lead_and_reuse(town: Town) -> None:
    page = town.stranger.visit("/evidence").text
    assert ">Bins</a>" in section(page, "lead")
    assert "29 August 2031</time> (estimated)" in section(page, "lead")
    reused = section(page, "reuse")
    assert ">A map<" in reused
    assert ">Trees</a>" in reused
    assert "Brackwell Council" in reused
    assert "Nobody yet" in section(page, "follow")


def test_the_pack_says_what_others_use_of_ours_and_who_follows(town: Town) -> None:
    page = town.there.visitor().visit("/evidence").text
    given = section(page, "give")
    assert "Aldermoor Council" in given
    assert ">A map<" in given
    assert "Aldermoor Council" in section(page, "follow")


@pytest.mark.parametrize("role, seen", [(None, False), ("officer", True)])
def test_the_pack_has_what_its_reader_may_see(role: str | None, seen: bool, town: Town) -> None:
    page = town.here.visitor(role).visit("/evidence").text
    assert ("Wages" in page, "Ponds" in page) == (seen, seen)


def test_the_pack_names_councils_that_liked_what_we_do(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    peer = Peer.join(nodes, "cedarholt.test", node)
    council = peer.actor("cedarholt")
    token = publish(node, "Bins")
    secret = publish(node, "Wages", visibility=Visibility.private)
    for one in (token, secret):
        like = council.says("Like", f"https://{node.host}/projects/{one}", to=[node.council_uri])
        assert council.send(like, node).status_code == 202
    nodes.settle()
    page = node.visitor().visit("/evidence").text
    assert "They liked our projects" in section(page, "peers")


def test_the_report_has_the_updates_of_its_days(town: Town) -> None:
    today = datetime.now(UTC).date()
    now = f"?from={today - timedelta(days=1)}&to={today + timedelta(days=1)}"
    page = town.stranger.visit(f"/highlights{now}").text
    for said in ("We tried it.", "Two testers.", "We counted them.", ">Bins</a>", ">Trees</a>"):
        assert said in page
    before = town.stranger.visit("/highlights?from=2020-01-01&to=2020-12-31").text
    assert "Nothing was written in this time" in before


def test_the_report_is_on_what_was_chosen(town: Town) -> None:
    ours = town.stranger.visit("/highlights?origin=ours").text
    assert ("We tried it." in ours, "We counted them." in ours) == (True, False)
    chosen = town.stranger.visit(f"/highlights?project={town.trees}").text
    assert ("We tried it." in chosen, "We counted them." in chosen) == (False, True)
    assert f'value="{town.bins}"' in chosen, "the others can still be chosen"


@pytest.mark.parametrize("role, seen", [(None, False), ("officer", True)])
def test_the_report_has_what_its_reader_may_see(
    role: str | None, seen: bool, lone: TestNode
) -> None:
    token = publish(lone, "Secret", visibility=Visibility.private)
    tell(lone, token, changed="Nobody is to know.")
    page = lone.visitor(role).visit("/highlights").text
    assert ("Nobody is to know." in page, "Secret" in page) == (seen, seen)


@pytest.mark.parametrize(
    "typed, said",
    [
        ("from=x&to=2031-01-01", "Enter a day, such as 2026-11-30"),
        ("from=2031-01-01", "Enter a day, such as 2026-11-30"),
        ("from=20310101&to=2031-W01-1", "Enter a day, such as 2026-11-30"),
        ("from=2031-02-01&to=2031-01-01", "The last day cannot be before the first"),
        ("from=2031-01-01&to=2033-01-01", "A report covers at most a year"),
        ("from=0001-01-01&to=9999-12-31", "Enter a day, such as 2026-11-30"),
    ],
)
def test_days_that_are_none_are_said_and_stay(typed: str, said: str, lone: TestNode) -> None:
    answer = lone.visitor().visit(f"/highlights?{typed}")
    assert answer.status_code == 400
    assert "There is a problem" in answer.text
    assert said in answer.text
    first = typed.partition("from=")[2].partition("&")[0]
    assert f'value="{first}"' in answer.text
