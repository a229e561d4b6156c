"""Two councils that meet faults of every kind while people write; `./dev chaos` is the long form.

The tests share two councils that run. Each test ends with the check that nothing was lost, doubled
or different.
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import select

from node.access.permissions import OFFICER
from node.federating.models import DeliveryAttempt
from node.runtime import Node
from node.testing.postgres import PostgresMissingError
from node.testing.processes import wait_until
from node.testing.requirements import end_as_not_run
from node.testing.visitor import parse_forms
from tests.faults.chaos import HERE, THERE, Chaos, councils, titles
from tests.faults.victims import JUMP


@pytest.fixture(scope="module")
def chaos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    if shutil.which("redis-server") is None:
        end_as_not_run("there is no redis-server on this machine")
    with ExitStack() as stack:
        try:
            found = stack.enter_context(councils(tmp_path_factory.mktemp("councils"), 2, 2))
        except PostgresMissingError as error:
            end_as_not_run(str(error))
        yield found


def answers(node: Node) -> set[int | None]:
    """What other servers answered to the deliveries of a node."""
    with node.reading() as session:
        return set(session.scalars(select(DeliveryAttempt.status)))


def arrives(title: str, node: Node) -> None:
    wait_until(lambda: title in titles(node), f"{title} has arrived")


def test_while_postgresql_hangs_the_answer_is_503(chaos: Chaos) -> None:
    """To readers, to writers and to other servers; all of them are answered before it goes on."""
    here = chaos.people(HERE)
    form = next(
        each for each in parse_forms(here.visit("/projects/new", OFFICER)) if "new" in each.action
    )
    typed = {"title": "While PostgreSQL hangs", "summary": "S", "phase": "alpha", "brief": "B"}
    with chaos.victims.postgres.suspended():
        with pytest.raises(AssertionError, match="/projects: 503"):
            here.visit("/projects")
        with pytest.raises(AssertionError, match="/projects/new: 503"):
            here.visit("/projects/new", OFFICER, form.values | typed)
        chaos.create(chaos.people(THERE), "Sent while PostgreSQL hangs")
        wait_until(lambda: 503 in answers(chaos.there), "the other server is told to try again")
    chaos.create(here, "After PostgreSQL hung")
    chaos.check()
    assert "While PostgreSQL hangs" not in titles(chaos.here)


def test_nothing_waits_for_a_hung_redis(chaos: Chaos) -> None:
    here = chaos.people(HERE)
    with chaos.victims.redis.stopped():
        chaos.create(here, "While Redis hangs")
        arrives("While Redis hangs", chaos.there)
    chaos.create(here, "After Redis hung")
    chaos.check()


@pytest.mark.parametrize("ahead", [JUMP, -JUMP], ids=["ahead", "behind"])
@pytest.mark.parametrize("name", [HERE, THERE])
def test_a_clock_that_is_wrong_for_a_while_loses_nothing(
    chaos: Chaos, name: str, ahead: float
) -> None:
    """The server that seems to sign in the future is refused, and tries again."""
    clock = chaos.victims.clock if name == HERE else chaos.victims.clock_of_other
    from_here, from_there = (f"From {each}, {name} {ahead}" for each in (HERE, THERE))
    is_here_ahead = (name == HERE) == (ahead > 0)
    accepted, receiver = (from_there, chaos.here) if is_here_ahead else (from_here, chaos.there)
    sender = chaos.here if is_here_ahead else chaos.there
    before = refused(sender)
    clock.offset_seconds = ahead
    try:
        chaos.create(chaos.people(HERE), from_here)
        chaos.create(chaos.people(THERE), from_there)
        arrives(accepted, receiver)
        wait_until(lambda: refused(sender) > before, "what is signed in the future is refused")
    finally:
        clock.offset_seconds = 0.0
    # Who signed in meanwhile has to sign in again: sessions do not begin in the future.
    chaos.rename(chaos.people(HERE), from_here, f"{from_here}, renamed")
    chaos.check()


def refused(node: Node) -> int:
    with node.reading() as session:
        return len(
            session.scalars(select(DeliveryAttempt).where(DeliveryAttempt.status == 401)).all()
        )


def test_a_short_run_of_all_faults_loses_and_doubles_nothing(chaos: Chaos) -> None:
    chaos.run(0, seed=11, pause=0.3, creates=5)
    counts = chaos.written.counts
    assert all(counts[name] for name, _fault in chaos.victims.faults)
    assert counts["creates acknowledged"] >= 5
    assert counts["deliveries done"] >= 5
