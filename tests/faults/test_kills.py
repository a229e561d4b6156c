"""A node killed at any moment between save and arrival: all arrives, and once (must 26)."""

import random
import time

import pytest

from node.access.permissions import OFFICER, OPERATOR
from node.testing.processes import wait_until
from tests.faults.councils import Running, arrives_once, reading, tried, waiting

# What the nodes say to each other.
DELIVERY, READING = b"POST /inbox", b"GET "
# About what lies between save and arrival on a machine that does little else, in seconds.
LONGEST_WAIT = 0.6


def restart(*killed: Running) -> None:
    for one in killed:
        one.process.launch()
    for one in killed:
        one.process.wait()


def test_nobody_is_killed(here: Running, there: Running) -> None:
    arrives_once(there, here, here.publish())


def test_the_receiver_is_away_when_it_is_published(here: Running, there: Running) -> None:
    there.process.kill()
    title = here.publish()
    wait_until(lambda: tried(here), "a delivery was tried in vain")
    restart(there)
    arrives_once(there, here, title)


def test_both_are_killed_right_after_the_save(here: Running, there: Running) -> None:
    there.process.kill()
    title = here.publish()
    here.process.kill()
    restart(here, there)
    arrives_once(there, here, title)


def test_the_sender_is_killed_right_after_the_save(here: Running, there: Running) -> None:
    title = here.publish()
    here.process.kill()
    restart(here)
    arrives_once(there, here, title)


def test_must_26_the_sender_is_killed_while_it_sends(here: Running, there: Running) -> None:
    there.proxy.hold(DELIVERY)
    title = here.publish()
    assert there.proxy.held_request.wait(20)
    here.process.kill()
    there.proxy.release()
    assert there.shown(title) == 0
    restart(here)
    arrives_once(there, here, title)


def test_must_26_the_sender_is_killed_before_it_reads_the_answer(
    here: Running, there: Running
) -> None:
    there.proxy.hold(DELIVERY, answers_only=True)
    title = here.publish()
    assert there.proxy.held_answer.wait(20)
    here.process.kill()
    there.proxy.release()
    restart(here)
    arrives_once(there, here, title)


def test_the_answer_is_lost_on_the_way(here: Running, there: Running) -> None:
    there.proxy.hold(DELIVERY, answers_only=True)
    title = here.publish()
    assert there.proxy.held_answer.wait(20)
    there.proxy.release()
    arrives_once(there, here, title)


def test_the_receiver_is_killed_before_it_handles_what_it_took(
    here: Running, there: Running
) -> None:
    there.process.kill()
    there.process.start(jobs="memory")  # takes messages and does nothing else
    title = here.publish()
    wait_until(lambda: waiting(there) == 1 and not waiting(here), "taken, and not handled")
    there.process.kill()
    assert waiting(there) == 1
    restart(there)
    arrives_once(there, here, title)


def test_must_26_the_receiver_is_killed_while_it_handles_what_it_took(
    here: Running, there: Running
) -> None:
    """It has to ask for the project, and is killed before that is answered."""
    here.proxy.hold(READING + b"/projects/")
    title = here.publish_by_id()
    assert here.proxy.held_request.wait(20)
    assert waiting(there) == 1
    there.process.kill()
    here.proxy.release()
    restart(there)
    arrives_once(there, here, title)


def test_an_update_and_a_deletion_follow_in_order(here: Running, there: Running) -> None:
    first, second = here.publish(), here.publish()
    arrives_once(there, here, first, second)
    there.process.kill()
    here.people.submit(f"{here.path_of(first)}/edit", OFFICER, title=f"{first}, new")
    here.people.submit(f"{here.path_of(second)}/edit", OFFICER, title=f"{second}, new")
    here.people.submit(f"{here.path_of(f'{second}, new')}/delete", OFFICER)
    here.process.kill()
    restart(here, there)
    arrives_once(there, here, f"{first}, new")
    wait_until(lambda: not there.shown(second), "the deleted project is gone")
    assert there.shown(f"{second}, new") == there.shown(first) == 0


def test_the_receiver_is_killed_while_it_reads_what_was_published_before(
    here: Running, there: Running
) -> None:
    """It follows anew, and is killed on the way through the council's projects."""
    title = here.publish()
    arrives_once(there, here, title)
    here.proxy.hold(READING + b"/councils/aldermoor/projects?after")
    there.people.submit("/councils/follow", OPERATOR, address=here.address)
    assert here.proxy.held_request.wait(20)
    there.process.kill()
    here.proxy.release()
    restart(there)
    wait_until(lambda: not reading(there), "everything is read")
    arrives_once(there, here, title)


@pytest.mark.parametrize("kills", [2, pytest.param(8, marks=pytest.mark.nightly)])
def test_must_26_killed_at_random_moments(here: Running, there: Running, kills: int) -> None:
    moments = random.Random(20261123 + kills)
    titles = []
    for killed in [here, there] * kills:
        titles.append(here.publish())
        time.sleep(moments.uniform(0.0, LONGEST_WAIT))
        killed.process.kill()
        restart(killed)
    arrives_once(there, here, *titles)


def test_must_26_the_program_on_postgresql(councils_on_postgresql: tuple[Running, Running]) -> None:
    """`moothall serve` itself, both ends killed: the sender at its delivery, then the receiver."""
    here, there = councils_on_postgresql
    there.proxy.hold(DELIVERY)
    title = here.publish()
    assert there.proxy.held_request.wait(20)
    here.process.kill()
    there.process.kill()
    there.proxy.release()
    restart(here, there)
    arrives_once(there, here, title)
