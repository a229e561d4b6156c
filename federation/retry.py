"""Retry policies of everything that is tried again, and the circuit breaker for servers that do not
respond.

Pure functions: the caller passes in the time.
"""

import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from federation.signatures.dates import parse_http_date

MAX_DELAY = timedelta(hours=12)
MAX_RETRY_AFTER = timedelta(days=1)
# Deliveries fail for good after this long without a response.
GIVE_UP_AFTER = timedelta(days=7)
# After the first 401 or 403: the peer may not have our key yet.
FIRST_REFUSED_DELAY = timedelta(minutes=5)
# A request such as a Follow is retried for longer, so that the other operator has time to allow our
# server.
REQUEST_REFUSAL_RETRY_PERIOD = timedelta(weeks=6)
# After this many failures in a row, a server receives only one request now and then: a probe.
FAILURES_BEFORE_COOL_DOWN = 5
# Failures this soon after a counted one belong to requests that were under way at the same time.
SAME_FAILURE_WINDOW = timedelta(seconds=2)
# Client errors that ask for another attempt, unlike the other 4xx statuses.
RETRYABLE_STATUSES = frozenset({408, 425, 429})


@dataclass(frozen=True)
class RetryPolicy:
    """When failed work is tried again: after `first_delay`, doubled with each failure up to
    `max_delay`, until `max_attempts` have failed or the first is `max_age` ago.
    """

    first_delay: timedelta
    max_delay: timedelta = MAX_DELAY
    max_attempts: int = sys.maxsize
    max_age: timedelta = timedelta.max

    def delay(self, attempts: int, jitter: float = 0.0) -> timedelta:
        """The delay after `attempts` failures. `jitter`, in [0, 1), spreads work that is due at the
        same time, by lengthening the delay by up to a quarter.
        """
        doublings = min(max(attempts - 1, 0), 16)
        return _add_jitter(min(self.first_delay * (1 << doublings), self.max_delay), jitter)

    def is_exhausted(self, attempts: int, age: timedelta = timedelta()) -> bool:
        """Whether to give up after `attempts` failures, the first of them `age` ago."""
        return attempts >= self.max_attempts or age >= self.max_age


# The first delay is short, since a restarted server responds again within seconds.
DELIVERY = RetryPolicy(timedelta(seconds=2), max_age=GIVE_UP_AFTER)
# After further refusals: the peer's operator may be about to allow us.
REFUSED = RetryPolicy(timedelta(hours=1), max_attempts=2)
COOL_DOWN = RetryPolicy(timedelta(minutes=1))


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
    policy: RetryPolicy = DELIVERY,
    refusal_retry_period: timedelta = timedelta(),
) -> RetryDecision:
    """Decide what to do after an attempt with the response `status` (None: no response).

    `attempts` includes this one; `first_attempt_age` is the time since the first. `retry_after` is
    the response's header, and `now` is needed if it holds a date. `jitter` as in `RetryPolicy`.
    `policy` is for silence and 5xx; 401 and 403 are retried twice, and if `refusal_retry_period` is
    given, for that long.
    """
    if status is not None and 200 <= status < 300:
        return RetryDecision(is_delivered=True)
    if status in {401, 403}:
        return _decide_after_refusal(
            attempts, jitter, may_retry=first_attempt_age < refusal_retry_period
        )
    if status is not None and status < 500 and status not in RETRYABLE_STATUSES:
        return RetryDecision.give_up()
    if policy.is_exhausted(attempts, first_attempt_age):
        return RetryDecision.give_up()
    requested_delay = parse_retry_after(retry_after, now) if status in {429, 503} else None
    return RetryDecision(
        retry_in=_add_jitter(max(requested_delay or timedelta(), policy.delay(attempts)), jitter)
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
    """How long to pause a server after `failures` in a row, up to 12 hours; None for too few."""
    if failures < FAILURES_BEFORE_COOL_DOWN:
        return None
    return COOL_DOWN.delay(failures - FAILURES_BEFORE_COOL_DOWN + 1, jitter)


def _decide_after_refusal(attempts: int, jitter: float, *, may_retry: bool) -> RetryDecision:
    if attempts == 1:
        return RetryDecision(retry_in=_add_jitter(FIRST_REFUSED_DELAY, jitter))
    if REFUSED.is_exhausted(attempts - 1) and not may_retry:
        return RetryDecision.give_up()
    return RetryDecision(retry_in=REFUSED.delay(attempts - 1, jitter))


def _add_jitter(delay: timedelta, jitter: float) -> timedelta:
    return delay * (1 + jitter / 4)
