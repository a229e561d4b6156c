"""What follows from an attempt to deliver (must 27)."""

from datetime import UTC, datetime, timedelta

import pytest

from federation.retry import (
    REQUEST_REFUSAL_RETRY_PERIOD,
    RetryDecision,
    RetryPolicy,
    cool_down_delay,
    decide,
    is_another_failure,
    parse_retry_after,
)

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def after(
    status: int | None, attempts: int = 1, age: timedelta = MINUTE, retry_after: str | None = None
) -> RetryDecision:
    return decide(status, attempts, age, retry_after, 0.0)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_delivered(status: int) -> None:
    assert after(status) == RetryDecision(is_delivered=True)


@pytest.mark.parametrize("status", [301, 307, 400, 404, 405, 410, 413, 415, 422])
def test_permanent(status: int) -> None:
    outcome = after(status)
    assert outcome == RetryDecision.give_up()
    assert outcome.is_permanent
    assert outcome.retry_in is None


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_delivery_gets_three_tries(status: int) -> None:
    assert [after(status, n).retry_in for n in (1, 2, 3, 4)] == [5 * MINUTE, HOUR, None, None]


@pytest.mark.parametrize("status", [None, 500, 502, 503, 504, 408, 425, 429])
def test_what_may_get_better_backs_off_to_half_a_day(status: int | None) -> None:
    delays = [after(status, attempts).retry_in or timedelta() for attempts in range(1, 40)]
    assert delays[:3] == [2 * SECOND, 4 * SECOND, 8 * SECOND]
    assert delays == sorted(delays)
    assert delays[-1] == 12 * HOUR


def test_a_week_is_enough() -> None:
    assert after(500, 30, 7 * DAY - MINUTE).retry_in == 12 * HOUR
    assert after(500, 30, 7 * DAY).is_permanent
    assert after(None, 30, 8 * DAY).is_permanent


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(status: int) -> None:
    assert after(status, retry_after="3600").retry_in == HOUR
    assert after(status, retry_after="999999999999").retry_in == DAY
    assert after(status, retry_after="1").retry_in == 2 * SECOND
    assert after(status, retry_after="soon").retry_in == 2 * SECOND
    assert after(500, retry_after="3600").retry_in == 2 * SECOND


def test_retry_after_as_a_date() -> None:
    header = "Mon, 23 Nov 2026 14:00:00 GMT"
    assert parse_retry_after(header, NOW) == 2 * HOUR
    assert parse_retry_after(header, NOW + DAY) == timedelta()
    assert parse_retry_after(header, NOW - 30 * DAY) == DAY
    assert parse_retry_after(header) is None
    assert decide(429, 1, MINUTE, header, 0.0, NOW).retry_in == 2 * HOUR


@pytest.mark.parametrize("header", [None, "", "-1", "1.5", "²", "x"])
def test_retry_after_that_says_nothing(header: str | None) -> None:
    assert parse_retry_after(header, NOW) is None


def test_jitter_spreads_and_never_hurries() -> None:
    delays = [decide(429, 1, MINUTE, "100", jitter).retry_in for jitter in (0.0, 0.5, 0.999)]
    assert delays[0] == timedelta(seconds=100)
    assert delays == sorted(delays, key=lambda delay: delay or timedelta())
    assert delays[2] is not None
    assert delays[2] < timedelta(seconds=125)


def test_a_policy_doubles_its_delay_up_to_its_maximum() -> None:
    policy = RetryPolicy(MINUTE, max_delay=5 * MINUTE)
    assert [policy.delay(n) for n in (0, 1, 2, 3, 4, 99)] == [
        MINUTE * factor for factor in (1, 1, 2, 4, 5, 5)
    ]
    assert policy.delay(1, 0.8) == MINUTE * 1.2
    assert not policy.is_exhausted(10**6, timedelta(days=10**5)), "without limits, for ever"


def test_a_policy_is_exhausted_by_attempts_or_by_age() -> None:
    policy = RetryPolicy(MINUTE, max_attempts=3, max_age=DAY)
    assert [policy.is_exhausted(n) for n in (2, 3)] == [False, True]
    assert [policy.is_exhausted(1, age) for age in (DAY - SECOND, DAY)] == [False, True]


def test_failures_of_requests_that_were_under_way_count_once() -> None:
    assert is_another_failure(None, NOW)
    assert not is_another_failure(NOW, NOW)
    assert not is_another_failure(NOW, NOW + 2 * SECOND - timedelta(microseconds=1))
    assert is_another_failure(NOW, NOW + 2 * SECOND)
    assert is_another_failure(NOW, NOW - SECOND), "the clock was set back"


def test_a_server_cools_down_after_five_failures() -> None:
    delays = [cool_down_delay(failures, 0.0) for failures in (0, 4, 5, 6, 7, 40)]
    assert delays == [None, None, MINUTE, 2 * MINUTE, 4 * MINUTE, 12 * HOUR]
    assert cool_down_delay(5, 0.8) == MINUTE * 1.2


def test_a_refused_follow_is_repeated_for_six_weeks() -> None:
    for age, is_repeated in ((6 * 7 * DAY - SECOND, True), (6 * 7 * DAY, False)):
        outcome = decide(403, 9, age, None, 0.0, refusal_retry_period=REQUEST_REFUSAL_RETRY_PERIOD)
        assert outcome.is_permanent is not is_repeated
