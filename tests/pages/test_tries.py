"""How many tries there are, and when there are more."""

from node.people.attempt_limits import (
    MAX_PER_ACCOUNT,
    MAX_PER_ADDRESS,
    MAX_PER_PERSON,
    WINDOW_SECONDS,
    AttemptLimiter,
    SignInAttempt,
    SignInLimiter,
)


class Clock:
    def __init__(self) -> None:
        self.moment = 1000.0

    def __call__(self) -> float:
        return self.moment


def test_after_so_many_tries_one_waits_until_the_first_is_long_ago() -> None:
    clock = Clock()
    tries = AttemptLimiter(3, window=60, clock=clock)
    for _ in range(3):
        assert tries.hit("olu") == 0
        clock.moment += 10
    assert tries.hit("olu") == 30
    assert tries.hit("ola") == 0
    clock.moment += 30
    assert tries.hit("olu") == 0
    assert tries.hit("olu") == 10


def test_waiting_is_not_made_longer_by_trying() -> None:
    clock = Clock()
    tries = AttemptLimiter(1, window=60, clock=clock)
    tries.hit("olu")
    assert {tries.hit("olu") for _ in range(50)} == {60}


def test_a_try_that_succeeds_does_not_count() -> None:
    tries = AttemptLimiter(1, clock=Clock())
    for _ in range(5):
        assert tries.hit("olu") == 0
        tries.undo("olu")


def test_no_more_names_are_remembered_than_there_is_room_for() -> None:
    tries = AttemptLimiter(1, clock=Clock(), max_names=2)
    for name in ("a", "b", "c"):
        assert tries.hit(name) == 0
    assert (tries.hit("b") > 0, tries.hit("c") > 0, tries.hit("a")) == (True, True, 0)


def test_a_person_is_told_apart_by_address_and_by_e_mail_address() -> None:
    tries = SignInLimiter(Clock())
    for _ in range(MAX_PER_PERSON):
        assert tries.hit(SignInAttempt("192.0.2.1", "olu@a.example")) == 0
    assert tries.hit(SignInAttempt("192.0.2.1", "OLU@a.example")) == WINDOW_SECONDS
    assert tries.hit(SignInAttempt("192.0.2.1", "ola@a.example")) == 0
    assert tries.hit(SignInAttempt("192.0.2.2", "olu@a.example")) == 0


def test_who_signs_in_begins_anew() -> None:
    tries = SignInLimiter(Clock())
    for _ in range(3 * MAX_PER_PERSON):
        for _ in range(MAX_PER_PERSON):
            assert tries.hit(SignInAttempt("192.0.2.1", "olu@a.example")) == 0
            tries.record_success(SignInAttempt("192.0.2.1", "olu@a.example"))


def test_an_address_has_so_many_tries_for_all_people() -> None:
    tries = SignInLimiter(Clock())
    for number in range(MAX_PER_ADDRESS):
        assert tries.hit(SignInAttempt("192.0.2.1", f"{number}@a.example")) == 0
    assert tries.hit(SignInAttempt("192.0.2.1", "olu@a.example")) == WINDOW_SECONDS
    assert tries.hit(SignInAttempt("192.0.2.2", "olu@a.example")) == 0


def test_an_account_has_so_many_tries_from_everywhere_but_on_a_device_that_is_known() -> None:
    tries = SignInLimiter(Clock())
    for number in range(MAX_PER_ACCOUNT):
        who = SignInAttempt(f"192.0.2.{number // MAX_PER_PERSON}", "olu@a.example")
        assert tries.hit(who) == 0
        assert number % MAX_PER_PERSON < MAX_PER_PERSON - 1 or tries.hit(who) == WINDOW_SECONDS
    assert tries.hit(SignInAttempt("198.51.100.1", "olu@a.example")) == WINDOW_SECONDS
    assert tries.hit(SignInAttempt("198.51.100.1", "ola@a.example")) == 0
    for _ in range(MAX_PER_PERSON):
        assert tries.hit(SignInAttempt("192.0.2.1", "olu@a.example", "known")) == 0
    assert tries.hit(SignInAttempt("192.0.2.1", "olu@a.example", "known")) == WINDOW_SECONDS


def test_no_single_address_uses_up_the_tries_of_an_account() -> None:
    tries = SignInLimiter(Clock())
    for _ in range(MAX_PER_ACCOUNT + MAX_PER_PERSON):
        tries.hit(SignInAttempt("192.0.2.1", "olu@a.example"))
    assert tries.hit(SignInAttempt("192.0.2.2", "olu@a.example")) == 0


def test_a_network_of_ipv6_is_one_address() -> None:
    tries = SignInLimiter(Clock())
    for number in range(MAX_PER_PERSON):
        assert tries.hit(SignInAttempt(f"2001:db8::{number:x}", "olu@a.example")) == 0
    assert tries.hit(SignInAttempt("2001:db8::ffff", "olu@a.example")) == WINDOW_SECONDS
    assert tries.hit(SignInAttempt("2001:db8:0:1::1", "olu@a.example")) == 0
