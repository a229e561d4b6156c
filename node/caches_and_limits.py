"""In-memory caches, counters and rate limits, each for this process only."""

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

Value = TypeVar("Value")


def estimate_size(value: object) -> int:
    """Estimate the bytes that a value takes up by the length of its `repr`."""
    return len(repr(value))


@dataclass
class _Entry(Generic[Value]):
    started_at: float
    future: Future[Value]
    size: int = 0


class SingleFlightCache(Generic[Value]):
    """Cache in which each key is computed by one thread at a time and at most once in `seconds`.

    Evicts entries that are older, and the oldest ones beyond `max_entries` or beyond `max_bytes`,
    as measured by `size`.
    """

    def __init__(
        self,
        seconds: float = 60.0,
        max_entries: int = 1_000,
        max_bytes: int = 1_000_000,
        measure_size: Callable[[Value], int] = estimate_size,
    ) -> None:
        self._seconds = seconds
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._size = measure_size
        self._bytes = 0
        self._entries: OrderedDict[str, _Entry[Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get_or_compute(self, key: str, compute: Callable[[], Value]) -> Value:
        """The value cached under `key`, or else the result of `compute`.

        Callers that arrive while it is being computed wait for the result. An exception of
        `compute` is raised in all of them, and is not cached.
        """
        with self._lock:
            self._evict(time.monotonic())
            entry = self._entries.get(key)
            if entry is not None:
                future, is_first = entry.future, False
            else:
                future, is_first = Future[Value](), True
                entry = self._entries[key] = _Entry(time.monotonic(), future, len(key))
                self._bytes += entry.size
        if is_first:
            try:
                self._store(key, entry, compute())
            except BaseException as error:  # noqa: BLE001 -- raised in every waiting thread
                with self._lock:
                    if self._entries.get(key) is entry:
                        self._drop(key)
                future.set_exception(error)
        return future.result()

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    def _store(self, key: str, entry: _Entry[Value], value: Value) -> None:
        size = self._size(value)
        with self._lock:
            if self._entries.get(key) is entry:
                entry.size += size
                self._bytes += size
                self._evict(time.monotonic())
        entry.future.set_result(value)

    def _drop(self, key: str) -> None:
        self._bytes -= self._entries.pop(key).size

    def _evict(self, current_time: float) -> None:
        while self._entries:
            key, oldest = next(iter(self._entries.items()))
            is_fresh = current_time - oldest.started_at < self._seconds
            has_space = len(self._entries) < self._max_entries and self._bytes <= self._max_bytes
            if is_fresh and has_space:
                return
            self._drop(key)


class TTLCache(Generic[Value]):
    """Values by key, which may be out of date by up to `seconds`. When there are `max_entries`,
    all of them are dropped.
    """

    def __init__(self, seconds: float = 1.0, max_entries: int = 1_000) -> None:
        self._seconds = seconds
        self._max_entries = max_entries
        # By key: when the value expires (`time.monotonic`), and the value.
        self._values: dict[str, tuple[float, Value]] = {}

    def get(self, key: str) -> Value | None:
        """The value; None if there is none or it has expired."""
        entry = self._values.get(key)
        return entry[1] if entry and time.monotonic() < entry[0] else None

    def put(self, key: str, value: Value) -> Value:
        """Cache `value` and return it."""
        if len(self._values) >= self._max_entries:
            self._values.clear()
        self._values[key] = time.monotonic() + self._seconds, value
        return value

    def clear(self) -> None:
        self._values.clear()


@dataclass
class BufferedCount:
    """How often something happened, when first and last, and the detail given last."""

    first_at: datetime
    last_at: datetime
    count: int = 0
    detail: str = ""


class CounterBuffer:
    """Counts by key, gathered in memory until they are drained into the database."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, ...], BufferedCount] = {}
        self._lock = threading.Lock()

    def add(self, *key: str, detail: str) -> tuple[int, timedelta]:
        """Count one more. Returns how many keys there are, and how old the oldest count is."""
        current_time = datetime.now(UTC)
        with self._lock:
            entry = self._counts.setdefault(key, BufferedCount(current_time, current_time))
            entry.count, entry.last_at, entry.detail = entry.count + 1, current_time, detail
            oldest = next(iter(self._counts.values()))
            return len(self._counts), current_time - oldest.first_at

    def drain(self) -> dict[tuple[str, ...], BufferedCount]:
        """Remove all counts and return them."""
        with self._lock:
            counts, self._counts = self._counts, {}
        return counts


class LimitExceededError(Exception):
    """A rate or concurrency limit was reached: that of `key`, or the total one if it is empty."""

    def __init__(self, key: str = "") -> None:
        super().__init__(key)
        self.key = key


class RateLimiter:
    """Limits how often something happens in each window of `seconds`, by key and in total
    (`hit`), and how much of it happens at the same time (`slot`).

    The counts are dropped with each window, so there are never more keys than hits in one window.
    """

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._in_use = 0
        self._window_start = time.monotonic()
        self._counts: Counter[str] = Counter()
        self._total = 0
        self._lock = threading.Lock()

    def hit(self, key: str, limit: int, total_limit: int | None = None) -> None:
        """Count one hit of `key`. Raises `LimitExceededError` without counting it if there were
        `limit` already, or `total_limit` of all keys together.
        """
        with self._lock:
            if time.monotonic() - self._window_start >= self._seconds:
                self._reset()
            if self._counts[key] >= limit:
                raise LimitExceededError(key)
            if total_limit is not None and self._total >= total_limit:
                raise LimitExceededError
            self._counts[key] += 1
            self._total += 1

    @contextmanager
    def slot(self, limit: int) -> Iterator[None]:
        """Hold one of `limit` slots during the `with` block. Raises `LimitExceededError` at once if
        all are in use.
        """
        with self._lock:
            if self._in_use >= limit:
                raise LimitExceededError
            self._in_use += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_use -= 1

    def reset(self) -> None:
        """Begin a new window, with all counts at 0."""
        with self._lock:
            self._reset()

    def _reset(self) -> None:
        self._window_start, self._total = time.monotonic(), 0
        self._counts.clear()
