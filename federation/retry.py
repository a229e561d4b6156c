"""What follows from one attempt to deliver: done, given up, or tried again; and when a server that
does not answer is left alone. No clock.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from federation.signatures.dates import parse_http_date

# A server that was restarted answers again in seconds.
FIRST_DELAY = timedelta(seconds=2)
MAX_DELAY = timedelta(hours=12)
MAX_RETRY_AFTER = timedelta(days=1)
# Whoever could not be reached for so long is given up.
GIVE_UP_AFTER = timedelta(days=7)
# After 401 or 403: the peer may not have our key yet, or its operator may be about to allow us.
REFUSED_DELAYS = (timedelta(minutes=5), timedelta(hours=1))
# A Follow waits longer for the other operator, with gaps that grow from the last of these.
FOLLOW_REFUSED_FOR = timedelta(weeks=6)
# A server that failed so often in a row is left alone, but for one try now and then: a probe.
FAILURES_BEFORE_COOL_DOWN = 5
FIRST_COOL_DOWN = timedelta(minutes=1)
# Failures within so long of one that counted are the same failure: several requests were under way.
SAME_FAILURE_WINDOW = timedelta(seconds=2)
# 408 and 425 ask for another attempt, unlike the other answers of their kind.
RETRYABLE_STATUSES = frozenset({408, 425, 429})


@dataclass(frozen=True)
class RetryDecision:
    """`delivered`; or to be tried again `after` a while; or neither, and given up."""

    delivered: bool = False
    retry_in: timedelta | None = None

    @classmethod
    def give_up(cls) -> Self:
        """Given up."""
        return cls()

    @property
    def is_permanent(self) -> bool:
        return not self.delivered and self.retry_in is None


def decide(
    status: int | None,
    attempts: int,
    first_attempt_age: timedelta,
    retry_after: str | None,
    jitter: float,
    now: datetime | None = None,
    give_up_after: timedelta = GIVE_UP_AFTER,
    refused_for: timedelta = timedelta(),
) -> RetryDecision:
    """What to do after an attempt that was answered with `status` (None: not answered at all).

    `attempts` counts this one too; `first_attempt_age` is how long ago the first was; `retry_after`
    is that header; `jitter` in [0, 1) spreads what is due together; `now` is needed to read a
    `retry_after` that is a date; `patience` is for how long silence and 5xx are put up with, and
    `refused_for` for how long 401 and 403 are, after the first few tries.
    """
    if status is not None and 200 <= status < 300:
        return RetryDecision(delivered=True)
    if status in {401, 403}:
        return _after_refusal(attempts, jitter, may_retry=first_attempt_age < refused_for)
    if status is not None and status < 500 and status not in RETRYABLE_STATUSES:
        return RetryDecision.give_up()
    if first_attempt_age >= give_up_after:
        return RetryDecision.give_up()
    asked = parse_retry_after(retry_after, now) if status in {429, 503} else None
    return RetryDecision(retry_in=_add_jitter(max(asked or timedelta(), backoff(attempts)), jitter))


def parse_retry_after(header: str | None, now: datetime | None = None) -> timedelta | None:
    """How long a Retry-After header asks to wait, at most a day; None where it does not say."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), int(MAX_RETRY_AFTER.total_seconds())))
    until = parse_http_date(text)
    if until is None or now is None:
        return None
    return min(max(until - now, timedelta()), MAX_RETRY_AFTER)


def is_another_failure(last_counted: datetime | None, at: datetime) -> bool:
    """Whether a failure `at` that time counts beside the last that did. A clock that was set back
    hides none.
    """
    return last_counted is None or not timedelta() <= at - last_counted < SAME_FAILURE_WINDOW


def cool_down(failures: int, jitter: float) -> timedelta | None:
    """How long a server is left alone after so many failures in a row, up to 12 hours; None: not.

    `jitter` in [0, 1) spreads what is due together.
    """
    if failures < FAILURES_BEFORE_COOL_DOWN:
        return None
    return _add_jitter(
        exponential_delay(FIRST_COOL_DOWN, failures - FAILURES_BEFORE_COOL_DOWN), jitter
    )


def _after_refusal(attempts: int, jitter: float, *, may_retry: bool) -> RetryDecision:
    if attempts <= len(REFUSED_DELAYS):
        return RetryDecision(retry_in=_add_jitter(REFUSED_DELAYS[attempts - 1], jitter))
    if not may_retry:
        return RetryDecision.give_up()
    return RetryDecision(
        retry_in=_add_jitter(exponential_delay(REFUSED_DELAYS[-1], attempts - 2), jitter)
    )


def backoff(attempts: int) -> timedelta:
    """Twice as long each time: 2 s, 4 s, 8 s and so on, to 12 hours."""
    return exponential_delay(FIRST_DELAY, max(attempts - 1, 0))


def exponential_delay(first: timedelta, times: int) -> timedelta:
    """`first`, doubled so many times, up to 12 hours."""
    return min(first * (1 << min(times, 16)), MAX_DELAY)


def _add_jitter(delay: timedelta, jitter: float) -> timedelta:
    """Up to a quarter longer, never sooner than asked."""
    return delay * (1 + jitter / 4)
