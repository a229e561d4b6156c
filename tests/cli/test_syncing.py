"""The commands that backfill and compare other councils."""

import pytest
from sqlalchemy import select

from node.councils.models import Council
from node.federating.models import Actor, Backfill, Comparison, Follow
from node.testing.nodes import TestNode
from tests.cli.conftest import Command

THERE = "https://brackwell.test/councils/brackwell"
ADDRESS = "@brackwell@brackwell.test"


@pytest.fixture
def followed(council: TestNode) -> TestNode:
    """The council follows another, whose server does not answer."""
    with council.work() as work:
        if work.session.scalar(select(Actor).where(Actor.uri == THERE)) is None:
            actor = Actor(
                uri=THERE,
                kind="Organization",
                host="brackwell.test",
                username="brackwell",
                name="Brackwell Council",
                inbox=f"{THERE}/inbox",
                projects=f"{THERE}/projects",
                digest=f"{THERE}/projects/digest",
            )
            work.session.add(Council(actor=actor, name=actor.name))
            ours = work.session.scalars(select(Actor).where(Actor.uri == council.council_uri)).one()
            uri = f"{council.node.settings.base_url}/activities/1"
            work.session.add(Follow(uri=uri, follower=ours, followed=actor, state="accepted"))
    return council


def test_a_backfill_is_started(followed: TestNode, moothall: Command) -> None:
    done = moothall("backfill", "start", ADDRESS)
    assert done == (0, f"Restarted the backfill of {ADDRESS}\n", "")
    with followed.reading() as session:
        assert session.scalars(select(Backfill.state)).one() == "running"
    for result in (moothall("backfill", "list"), moothall("backfill", "status", THERE)):
        assert result.out.startswith(f"{ADDRESS}\trunning\t0 projects read, 0 pages\t")


def test_a_backfill_of_an_unknown_council_is_refused(council: TestNode, moothall: Command) -> None:
    refused = moothall("backfill", "start", "@nobody@brackwell.test")
    assert refused.refusal == "Council with the address @nobody@brackwell.test not found."


def test_a_comparison_prints_its_result(followed: TestNode, moothall: Command) -> None:
    with followed.work() as work:
        for row in work.session.scalars(select(Backfill)):
            work.session.delete(row)
    result = moothall("sync", "now", ADDRESS)
    assert result.code == 0, result
    assert result.out.startswith(f"{ADDRESS}\tcompared 20")
    assert "last identical never" in result.out
    assert "brackwell.test" in result.out.rpartition("\t")[2]
    assert moothall("sync", "status") == result
    with followed.reading() as session:
        assert session.scalars(select(Comparison.attempts)).one() == 1
