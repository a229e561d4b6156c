"""What the commands say of reading and comparing other councils."""

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


def test_a_council_is_read_again(followed: TestNode, moothall: Command) -> None:
    done = moothall("backfill", "start", ADDRESS)
    assert done == (0, f"{ADDRESS} is being read from the beginning\n", "")
    with followed.reading() as session:
        assert session.scalars(select(Backfill.state)).one() == "running"
    for said in (moothall("backfill", "list"), moothall("backfill", "status", THERE)):
        assert said.out.startswith(f"{ADDRESS}\trunning\t0 read on 0 pages\t")


def test_nobody_reads_a_council_that_is_not_known(council: TestNode, moothall: Command) -> None:
    refused = moothall("backfill", "start", "@nobody@brackwell.test")
    assert (
        refused.refusal == "This server knows no council with the address @nobody@brackwell.test."
    )


def test_comparing_says_what_came_of_it(followed: TestNode, moothall: Command) -> None:
    with followed.work() as work:
        for row in work.session.scalars(select(Backfill)):
            work.session.delete(row)
    said = moothall("sync", "now", ADDRESS)
    assert said.code == 0, said
    assert said.out.startswith(f"{ADDRESS}\tcompared 20")
    assert "the same never" in said.out
    assert "brackwell.test" in said.out.rpartition("\t")[2]
    assert moothall("sync", "status") == said
    with followed.reading() as session:
        assert session.scalars(select(Comparison.attempts)).one() == 1
