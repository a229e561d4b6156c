"""Passwords are hashed a few at a time, and while nobody else waits to write."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import argon2.low_level
import pytest
from argon2 import PasswordHasher
from werkzeug.test import TestResponse

from node.people import service as people
from node.people.attempt_limits import SignInLimiter
from node.people.forms import EXTENSION_KEY
from node.people.hashing import MAX_CONCURRENT, MAX_WAITING
from node.testing.nodes import PASSWORD, TestNode
from node.testing.processes import MAX_WAIT_SECONDS, wait_until

OFFICER = "officer@aldermoor.example"
VERIFY, HASH = argon2.low_level.verify_secret, argon2.low_level.hash_secret


@pytest.fixture(autouse=True)
def _nobody_has_tried(council: TestNode) -> None:
    council.app.extensions[EXTENSION_KEY] = SignInLimiter()


class Slow:
    """Argon2 that does not end before it is told to. `most` is how many went on at once."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.at_once = self.most = 0
        self._lock = threading.Condition()

    def __call__(self, *_arguments: object) -> bool:
        with self._lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            self._lock.notify_all()
        assert self.may_end.wait(MAX_WAIT_SECONDS)
        with self._lock:
            self.at_once -= 1
        return True

    def wait_for(self, number: int) -> None:
        with self._lock:
            assert self._lock.wait_for(lambda: self.at_once == number, MAX_WAIT_SECONDS)


def try_to_sign_in(council: TestNode) -> TestResponse:
    visitor = council.visitor()
    visitor.visit("/sign-in")
    return visitor.submit("sign-in", email=OFFICER, password=PASSWORD)


@contextmanager
def trying(council: TestNode, number: int, answers: list[int]) -> Iterator[None]:
    """So many people try to sign in, and are still waiting."""

    def one() -> None:
        answers.append(try_to_sign_in(council).status_code)

    threads = [threading.Thread(target=one) for _ in range(number)]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join(MAX_WAIT_SECONDS)


def test_so_many_passwords_are_looked_at_at_once_and_others_are_asked_to_come_again(
    council: TestNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, answers = Slow(), list[int]()
    monkeypatch.setattr("node.people.hashing.MAX_WAIT_SECONDS", MAX_WAIT_SECONDS)
    monkeypatch.setattr(argon2.low_level, "verify_secret", slow)
    with trying(council, MAX_CONCURRENT + MAX_WAITING + 3, answers):
        slow.wait_for(MAX_CONCURRENT)
        wait_until(lambda: len(answers) >= 3, "three were sent away")
        full = try_to_sign_in(council)
        slow.may_end.set()
    assert sorted(answers) == [200] * (MAX_CONCURRENT + MAX_WAITING) + [503] * 3
    assert (full.status_code, full.headers["Retry-After"]) == (503, "5")
    assert "Wait a minute and try again." in full.text
    assert slow.most == MAX_CONCURRENT
    # None of them was a wrong guess.
    monkeypatch.undo()
    assert "Ola Officer" in try_to_sign_in(council).text


def test_whoever_waited_long_enough_is_asked_to_come_again(
    council: TestNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, answers = Slow(), list[int]()
    monkeypatch.setattr("node.people.hashing.MAX_WAIT_SECONDS", 0.05)
    monkeypatch.setattr(argon2.low_level, "verify_secret", slow)
    with trying(council, MAX_CONCURRENT, answers):
        slow.wait_for(MAX_CONCURRENT)
        assert try_to_sign_in(council).status_code == 503
        slow.may_end.set()
    assert answers == [200] * MAX_CONCURRENT


def test_a_hash_made_with_other_parameters_is_made_anew(council: TestNode) -> None:
    with council.work() as work:
        user = people.require_by_email(work.session, OFFICER)
        usual, user.password = user.password, PasswordHasher(3, 64, 4).hash(PASSWORD)
    assert "Ola Officer" in try_to_sign_in(council).text
    with council.reading() as session:
        made = people.require_by_email(session, OFFICER).password
    assert usual
    assert made
    assert parameters(made) == parameters(usual)


def parameters(hashed: str) -> list[str]:
    return hashed.split("$")[:4]


def change_own(council: TestNode) -> None:
    officer = council.visitor("officer")
    officer.visit("/account/password")
    page = officer.submit("/account/password", current=PASSWORD, password="three random words")
    assert "Your password has been changed." in page.text
    with council.work() as work:
        hashed = people.hash_new_password(PASSWORD)
        people.set_password(work, people.require_by_email(work.session, OFFICER), hashed)


def test_others_write_while_a_password_is_hashed(
    council: TestNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    def meanwhile() -> None:
        def write() -> None:
            written.append(council.publish(f"Meanwhile {len(written)}"))

        thread = threading.Thread(target=write)
        thread.start()
        thread.join(MAX_WAIT_SECONDS)

    def hash_slowly(*arguments: object, **more: object) -> bytes:
        meanwhile()
        return HASH(*arguments, **more)  # type: ignore[arg-type]

    def verify_slowly(*arguments: object) -> bool:
        meanwhile()
        return VERIFY(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(argon2.low_level, "hash_secret", hash_slowly)
    monkeypatch.setattr(argon2.low_level, "verify_secret", verify_slowly)
    assert "Ola Officer" in try_to_sign_in(council).text
    change_own(council)
    with council.work() as work:
        people.create(
            work, name="Una", email="una@aldermoor.example", password=PASSWORD, role="officer"
        )
    assert len(written) == 5
