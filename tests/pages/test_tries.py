"""How many tries there are, and when there are more."""

from node.people.tries import (
    PER_ACCOUNT,
    PER_ADDRESS,
    PER_PERSON,
    WINDOW,
    SignInTries,
    Tries,
    Tryer,
)


class Clock:
    def __init__(self) -> None:
        self.moment = 1000.0

    def __call__(self) -> float:
        return self.moment


def test_after_so_many_tries_one_waits_until_the_first_is_long_ago() -> None:
    clock = Clock()
    tries = Tries(3, window=60, clock=clock)
    for _ in range(3):
        assert tries.begin("olu") == 0
        clock.moment += 10
    assert tries.begin("olu") == 30
    assert tries.begin("ola") == 0
    clock.moment += 30
    assert tries.begin("olu") == 0
    assert tries.begin("olu") == 10


def test_waiting_is_not_made_longer_by_trying() -> None:
    clock = Clock()
    tries = Tries(1, window=60, clock=clock)
    tries.begin("olu")
    assert {tries.begin("olu") for _ in range(50)} == {60}


def test_a_try_that_succeeds_does_not_count() -> None:
    tries = Tries(1, clock=Clock())
    for _ in range(5):
        assert tries.begin("olu") == 0
        tries.undo("olu")


def test_no_more_names_are_remembered_than_there_is_room_for() -> None:
    tries = Tries(1, clock=Clock(), names=2)
    for name in ("a", "b", "c"):
        assert tries.begin(name) == 0
    assert (tries.begin("b") > 0, tries.begin("c") > 0, tries.begin("a")) == (True, True, 0)


def test_a_person_is_told_apart_by_address_and_by_e_mail_address() -> None:
    tries = SignInTries(Clock())
    for _ in range(PER_PERSON):
        assert tries.begin(Tryer("192.0.2.1", "olu@a.example")) == 0
    assert tries.begin(Tryer("192.0.2.1", "OLU@a.example")) == WINDOW
    assert tries.begin(Tryer("192.0.2.1", "ola@a.example")) == 0
    assert tries.begin(Tryer("192.0.2.2", "olu@a.example")) == 0


def test_who_signs_in_begins_anew() -> None:
    tries = SignInTries(Clock())
    for _ in range(3 * PER_PERSON):
        for _ in range(PER_PERSON):
            assert tries.begin(Tryer("192.0.2.1", "olu@a.example")) == 0
            tries.succeeded(Tryer("192.0.2.1", "olu@a.example"))


def test_an_address_has_so_many_tries_for_all_people() -> None:
    tries = SignInTries(Clock())
    for number in range(PER_ADDRESS):
        assert tries.begin(Tryer("192.0.2.1", f"{number}@a.example")) == 0
    assert tries.begin(Tryer("192.0.2.1", "olu@a.example")) == WINDOW
    assert tries.begin(Tryer("192.0.2.2", "olu@a.example")) == 0


def test_an_account_has_so_many_tries_from_everywhere_but_on_a_device_that_is_known() -> None:
    tries = SignInTries(Clock())
    for number in range(PER_ACCOUNT):
        who = Tryer(f"192.0.2.{number // PER_PERSON}", "olu@a.example")
        assert tries.begin(who) == 0
        assert number % PER_PERSON < PER_PERSON - 1 or tries.begin(who) == WINDOW
    assert tries.begin(Tryer("198.51.100.1", "olu@a.example")) == WINDOW
    assert tries.begin(Tryer("198.51.100.1", "ola@a.example")) == 0
    for _ in range(PER_PERSON):
        assert tries.begin(Tryer("192.0.2.1", "olu@a.example", "known")) == 0
    assert tries.begin(Tryer("192.0.2.1", "olu@a.example", "known")) == WINDOW


def test_no_single_address_uses_up_the_tries_of_an_account() -> None:
    tries = SignInTries(Clock())
    for _ in range(PER_ACCOUNT + PER_PERSON):
        tries.begin(Tryer("192.0.2.1", "olu@a.example"))
    assert tries.begin(Tryer("192.0.2.2", "olu@a.example")) == 0


def test_a_network_of_ipv6_is_one_address() -> None:
    tries = SignInTries(Clock())
    for number in range(PER_PERSON):
        assert tries.begin(Tryer(f"2001:db8::{number:x}", "olu@a.example")) == 0
    assert tries.begin(Tryer("2001:db8::ffff", "olu@a.example")) == WINDOW
    assert tries.begin(Tryer("2001:db8:0:1::1", "olu@a.example")) == 0
