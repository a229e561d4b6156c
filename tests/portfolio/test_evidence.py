"""The evidence pack and the highlight report."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from node.access.visibility import Visibility
from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.portfolio.conftest import Town
from tests.portfolio.places import publish, tell


def section(page: str, name: str) -> str:
    return page.partition(f'aria-labelledby="{name}"')[2].partition("</section>")[0]


def test_the_pack_shows_what_we_lead_and_reuse(town: Town) -> None:
    page = town.stranger.visit("/evidence").text
    assert ">Bins</a>" in section(page, "lead")
    assert "29 August 2031</time> (estimated)" in section(page, "lead")
    reused = section(page, "reuse")
    assert ">A map<" in reused
    assert ">Trees</a>" in reused
    assert "Brackwell Council" in reused
    assert "No followers yet." in section(page, "follow")


def test_the_pack_shows_what_others_reuse_and_who_follows(town: Town) -> None:
    page = town.there.visitor().visit("/evidence").text
    given = section(page, "give")
    assert "Aldermoor Council" in given
    assert ">A map<" in given
    assert "Aldermoor Council" in section(page, "follow")


@pytest.mark.parametrize("role, seen", [(None, False), ("officer", True)])
def test_the_pack_shows_what_its_reader_can_see(role: str | None, seen: bool, town: Town) -> None:
    page = town.here.visitor(role).visit("/evidence").text
    assert ("Wages" in page, "Ponds" in page) == (seen, seen)


def test_the_pack_names_councils_that_liked_our_projects(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "cedarholt.test", node)
    council = peer.actor("cedarholt")
    token = publish(node, "Bins")
    secret = publish(node, "Wages", visibility=Visibility.private)
    for one in (token, secret):
        like = council.build_activity(
            "Like", f"https://{node.host}/projects/{one}", to=[node.council_uri]
        )
        assert council.send(like, node).status_code == 202
    nodes.run_until_idle()
    page = node.visitor().visit("/evidence").text
    assert "These councils and people have liked or shared our projects:" in section(page, "peers")


def test_the_report_has_the_updates_of_its_days(town: Town) -> None:
    today = datetime.now(UTC).date()
    now = f"?from={today - timedelta(days=1)}&to={today + timedelta(days=1)}"
    page = town.stranger.visit(f"/highlights{now}").text
    for said in ("We tried it.", "Two testers.", "We counted them.", ">Bins</a>", ">Trees</a>"):
        assert said in page
    before = town.stranger.visit("/highlights?from=2020-01-01&to=2020-12-31").text
    assert "No updates or new projects in this period" in before


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
    "first, last, said",
    [
        ("31 2 2031", "1 3 2031", "Enter a real date, for example 27 3 2027"),
        ("1 1 2031", "", "Enter a date, for example 30 11 2026"),
        ("x ² 2031", "1 1 2031", "Enter a real date, for example 27 3 2027"),
        ("1 2 2031", "1 1 2031", "Last day must be the same as or after the first day"),
        ("1 1 2031", "1 1 2033", "Last day must be no more than a year after the first day"),
        ("1 1 1", "31 12 9999", "Year must be between 1970 and 2998"),
    ],
)
def test_days_that_are_none_are_said_and_stay(
    first: str, last: str, said: str, lone: TestNode
) -> None:
    typed = [
        (f"{name}-{part}", box)
        for name, day in (("first", first), ("last", last))
        for part, box in zip(("day", "month", "year"), day.split(), strict=False)
    ]
    answer = lone.visitor().visit(f"/highlights?{urlencode(typed)}")
    assert answer.status_code == 400
    assert "There is a problem" in answer.text
    assert said in answer.text
    for _name, box in typed:
        assert f'value="{box}"' in answer.text
