"""What was done a moment ago, in this process only: what came of it, and was it enough."""

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


def repr_size(value: object) -> int:
    """About how many bytes a value takes up: as many as when it is written out."""
    return len(repr(value))


@dataclass
class _Entry(Generic[Value]):
    started: float
    future: Future[Value]
    size: int = 0


class SingleFlightCache(Generic[Value]):
    """Does a thing at most once in `seconds`; forgets older ones, and the oldest beyond `limit`, or
    beyond `most_bytes`, as `size` counts them.
    """

    def __init__(
        self,
        seconds: float = 60.0,
        max_entries: int = 1_000,
        max_bytes: int = 1_000_000,
        size: Callable[[Value], int] = repr_size,
    ) -> None:
        self._seconds = seconds
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._size = size
        self._bytes = 0
        self._entries: OrderedDict[str, _Entry[Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get_or_compute(self, name: str, act: Callable[[], Value]) -> Value:
        """What `act` came to when it was last done under `name`; done now, if that was long ago.

        Whoever asks while it is being done waits for it. What `act` raises goes to all who wait,
        and is not remembered.
        """
        with self._lock:
            self._evict(time.monotonic())
            seen = self._entries.get(name)
            if seen is not None:
                future, is_first = seen.future, False
            else:
                future, is_first = Future[Value](), True
                seen = self._entries[name] = _Entry(time.monotonic(), future, len(name))
                self._bytes += seen.size
        if is_first:
            try:
                self._store(name, seen, act())
            except BaseException as error:  # noqa: BLE001 -- whoever waits gets it
                with self._lock:
                    if self._entries.get(name) is seen:
                        self._drop(name)
                future.set_exception(error)
        return future.result()

    def clear(self) -> None:
        """As if all of it were long ago."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    def _store(self, name: str, seen: _Entry[Value], value: Value) -> None:
        size = self._size(value)
        with self._lock:
            if self._entries.get(name) is seen:
                seen.size += size
                self._bytes += size
                self._evict(time.monotonic())
        seen.future.set_result(value)

    def _drop(self, name: str) -> None:
        self._bytes -= self._entries.pop(name).size

    def _evict(self, moment: float) -> None:
        while self._entries:
            name, oldest = next(iter(self._entries.items()))
            is_new = moment - oldest.started < self._seconds
            has_room = len(self._entries) < self._max_entries and self._bytes <= self._max_bytes
            if is_new and has_room:
                return
            self._drop(name)


class TTLCache(Generic[Value]):
    """Values by name, for so many seconds, in which they may change unnoticed; `limit` at most."""

    def __init__(self, seconds: float = 1.0, max_entries: int = 1_000) -> None:
        self._seconds = seconds
        self._max_entries = max_entries
        self._values: dict[str, tuple[float, Value]] = {}

    def get(self, name: str) -> Value | None:
        """The value, unless it was forgotten, or is too old."""
        kept = self._values.get(name)
        return kept[1] if kept and time.monotonic() < kept[0] else None

    def put(self, name: str, value: Value) -> Value:
        """Remember `value`, and give it back."""
        if len(self._values) >= self._max_entries:
            self._values.clear()
        self._values[name] = time.monotonic() + self._seconds, value
        return value

    def clear(self) -> None:
        self._values.clear()


@dataclass
class BufferedCount:
    """How often something happened, when first and last, and what was said about it last."""

    first_at: datetime
    last_at: datetime
    count: int = 0
    detail: str = ""


class CounterBuffer:
    """Counts by name, kept here until they are taken away to where they last."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, ...], BufferedCount] = {}
        self._lock = threading.Lock()

    def add(self, *name: str, detail: str) -> tuple[int, timedelta]:
        """Count one more. Returns how many names there are, and how old the oldest count is."""
        moment = datetime.now(UTC)
        with self._lock:
            found = self._counts.setdefault(name, BufferedCount(moment, moment))
            found.count, found.last_at, found.detail = found.count + 1, moment, detail
            oldest = next(iter(self._counts.values()))
            return len(self._counts), moment - oldest.first_at

    def drain(self) -> dict[tuple[str, ...], BufferedCount]:
        """All counts; from now on they begin anew."""
        with self._lock:
            taken, self._counts = self._counts, {}
        return taken


class LimitExceededError(Exception):
    """Enough of it is being done already, or was done a moment ago: under `name`, or in all."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self.key = name


class RateLimiter:
    """Lets things be done so many at a time; and so many under one name, and in all, in each
    `seconds`. No more names are kept than things are done.
    """

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._in_use = 0
        self._began = time.monotonic()
        self._counts: Counter[str] = Counter()
        self._total = 0
        self._lock = threading.Lock()

    def hit(self, name: str, most: int, most_of_all: int | None = None) -> None:
        """Count one more under `name`. Raises `BusyError`, and counts nothing, if there were `most`
        already, or `most_of_all` under all names.
        """
        with self._lock:
            if time.monotonic() - self._began >= self._seconds:
                self._reset()
            if self._counts[name] >= most:
                raise LimitExceededError(name)
            if most_of_all is not None and self._total >= most_of_all:
                raise LimitExceededError
            self._counts[name] += 1
            self._total += 1

    @contextmanager
    def slot(self, most: int) -> Iterator[None]:
        """One of `most` places, for the length of the `with` block. Raises `BusyError` at once if
        all are taken.
        """
        with self._lock:
            if self._in_use >= most:
                raise LimitExceededError
            self._in_use += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_use -= 1

    def reset(self) -> None:
        """As if all that was counted were long ago."""
        with self._lock:
            self._reset()

    def _reset(self) -> None:
        self._began, self._total = time.monotonic(), 0
        self._counts.clear()
