"""Retry policy for deliveries, and the circuit breaker for servers that do not respond.

Pure functions: the caller passes in the time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from federation.signatures.dates import parse_http_date

# Short, since a restarted server responds again within seconds.
FIRST_DELAY = timedelta(seconds=2)
MAX_DELAY = timedelta(hours=12)
MAX_RETRY_AFTER = timedelta(days=1)
# Deliveries fail for good after this long without a response.
GIVE_UP_AFTER = timedelta(days=7)
# After 401 or 403: the peer may not have our key yet, or its operator may be about to allow us.
# One delay per attempt.
REFUSED_DELAYS = (timedelta(minutes=5), timedelta(hours=1))
# A Follow is retried for longer, at delays that double from the last of these, so that the other
# operator has time to allow our server.
FOLLOW_REFUSAL_RETRY_PERIOD = timedelta(weeks=6)
# After this many failures in a row, a server receives only one request now and then: a probe.
FAILURES_BEFORE_COOL_DOWN = 5
FIRST_COOL_DOWN = timedelta(minutes=1)
# Failures this soon after a counted one belong to requests that were under way at the same time.
SAME_FAILURE_WINDOW = timedelta(seconds=2)
# Client errors that ask for another attempt, unlike the other 4xx statuses.
RETRYABLE_STATUSES = frozenset({408, 425, 429})


@dataclass(frozen=True)
class RetryDecision:
    """What follows from an attempt: `is_delivered`, retry after `retry_in`, or (neither) failed."""

    is_delivered: bool = False
    retry_in: timedelta | None = None

    @classmethod
    def give_up(cls) -> Self:
        """The delivery failed and is not retried."""
        return cls()

    @property
    def is_permanent(self) -> bool:
        return not self.is_delivered and self.retry_in is None


def decide(
    status: int | None,
    attempts: int,
    first_attempt_age: timedelta,
    retry_after: str | None,
    jitter: float,
    now: datetime | None = None,
    give_up_after: timedelta = GIVE_UP_AFTER,
    refusal_retry_period: timedelta = timedelta(),
) -> RetryDecision:
    """Decide what to do after an attempt with the response `status` (None: no response).

    `attempts` includes this one; `first_attempt_age` is the time since the first. `retry_after` is
    the response's header, and `now` is needed if it holds a date. `jitter`, in [0, 1), spreads
    deliveries that are due at the same time. `give_up_after` limits how long silence and 5xx are
    retried, `refusal_retry_period` how long 401 and 403 are, beyond `REFUSED_DELAYS`.
    """
    if status is not None and 200 <= status < 300:
        return RetryDecision(is_delivered=True)
    if status in {401, 403}:
        return _decide_after_refusal(
            attempts, jitter, may_retry=first_attempt_age < refusal_retry_period
        )
    if status is not None and status < 500 and status not in RETRYABLE_STATUSES:
        return RetryDecision.give_up()
    if first_attempt_age >= give_up_after:
        return RetryDecision.give_up()
    requested_delay = parse_retry_after(retry_after, now) if status in {429, 503} else None
    return RetryDecision(
        retry_in=_add_jitter(max(requested_delay or timedelta(), backoff_delay(attempts)), jitter)
    )


def parse_retry_after(header: str | None, now: datetime | None = None) -> timedelta | None:
    """The wait that a Retry-After header asks for, at most a day; None if it cannot be read."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), int(MAX_RETRY_AFTER.total_seconds())))
    until = parse_http_date(text)
    if until is None or now is None:
        return None
    return min(max(until - now, timedelta()), MAX_RETRY_AFTER)


def is_another_failure(last_counted: datetime | None, at: datetime) -> bool:
    """Whether a failure at the time `at` counts separately from the last counted one.

    A failure before the last counted one, after the clock was set back, always counts.
    """
    return last_counted is None or not timedelta() <= at - last_counted < SAME_FAILURE_WINDOW


def cool_down_delay(failures: int, jitter: float) -> timedelta | None:
    """How long to pause a server after `failures` in a row, up to 12 hours; None for too few.

    `jitter`, in [0, 1), spreads probes that are due at the same time.
    """
    if failures < FAILURES_BEFORE_COOL_DOWN:
        return None
    return _add_jitter(
        exponential_delay(FIRST_COOL_DOWN, failures - FAILURES_BEFORE_COOL_DOWN), jitter
    )


def _decide_after_refusal(attempts: int, jitter: float, *, may_retry: bool) -> RetryDecision:
    if attempts <= len(REFUSED_DELAYS):
        return RetryDecision(retry_in=_add_jitter(REFUSED_DELAYS[attempts - 1], jitter))
    if not may_retry:
        return RetryDecision.give_up()
    return RetryDecision(
        retry_in=_add_jitter(exponential_delay(REFUSED_DELAYS[-1], attempts - 2), jitter)
    )


def backoff_delay(attempts: int) -> timedelta:
    """The delay after `attempts` attempts: 2 s, 4 s, 8 s and so on, up to 12 hours."""
    return exponential_delay(FIRST_DELAY, max(attempts - 1, 0))


def exponential_delay(first: timedelta, doublings: int) -> timedelta:
    """`first`, doubled `doublings` times, up to 12 hours."""
    return min(first * (1 << min(doublings, 16)), MAX_DELAY)


def _add_jitter(delay: timedelta, jitter: float) -> timedelta:
    """Lengthen a delay by up to a quarter. Never shortens it."""
    return delay * (1 + jitter / 4)
