"""Names that are too long to be anybody's cost nothing when they try to sign in."""

import tracemalloc

import pytest

from node.people.attempt_limits import MAX_PER_PERSON, AttemptLimiter, SignInAttempt, SignInLimiter
from node.testing.visitor import Visitor

WRONG = "The email address or password is not correct"


@pytest.mark.parametrize("email", ["x" * 255, "ΐ" * 100_000, f"{'x' * 300}@a.example"])
def test_an_email_address_that_is_too_long_is_refused_before_it_is_looked_at(
    stranger: Visitor, email: str
) -> None:
    for _ in range(MAX_PER_PERSON + 1):  # none of them is counted as a try
        stranger.visit("/sign-in")
        page = stranger.submit("sign-in", email=email, password="three random words")
        assert page.status_code == 200
        assert WRONG in page.text


def test_the_longest_email_address_is_looked_at(stranger: Visitor) -> None:
    statuses = []
    for _ in range(MAX_PER_PERSON + 1):
        stranger.visit("/sign-in")
        page = stranger.submit("sign-in", email="x" * 254, password="three random words")
        statuses.append(page.status_code)
    assert statuses == [200] * MAX_PER_PERSON + [429]


def test_tries_do_not_keep_long_names() -> None:
    tries = AttemptLimiter(3)
    tracemalloc.start()
    try:
        for number in range(50):
            tries.hit(f"{number:0100000}")
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 100_000


def test_a_name_of_any_characters_is_counted() -> None:
    tries = SignInLimiter()
    for _ in range(MAX_PER_PERSON):
        assert tries.hit(SignInAttempt("192.0.2.1", "\udcff")) == 0
    assert tries.hit(SignInAttempt("192.0.2.1", "\udcff")) > 0
