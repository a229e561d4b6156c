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


class Recent(Generic[Value]):
    """Does a thing at most once in `seconds`; forgets older ones, and the oldest beyond `limit`."""

    def __init__(self, seconds: float = 60.0, limit: int = 1_000) -> None:
        self._seconds = seconds
        self._limit = limit
        self._seen: OrderedDict[str, tuple[float, Future[Value]]] = OrderedDict()
        self._lock = threading.Lock()

    def outcome(self, name: str, act: Callable[[], Value]) -> Value:
        """What `act` came to when it was last done under `name`; done now, if that was long ago.

        Whoever asks while it is being done waits for it. What `act` raises goes to all who wait,
        and is not remembered.
        """
        with self._lock:
            self._forget(time.monotonic())
            seen = self._seen.get(name)
            future: Future[Value] = seen[1] if seen else Future()
            if seen is None:
                self._seen[name] = (time.monotonic(), future)
        if seen is None:
            try:
                future.set_result(act())
            except BaseException as error:  # noqa: BLE001 -- whoever waits gets it
                with self._lock:
                    self._seen.pop(name, None)
                future.set_exception(error)
        return future.result()

    def forget(self) -> None:
        """As if all of it were long ago."""
        with self._lock:
            self._seen.clear()

    def _forget(self, moment: float) -> None:
        while self._seen:
            began, _future = next(iter(self._seen.values()))
            if moment - began < self._seconds and len(self._seen) < self._limit:
                return
            self._seen.popitem(last=False)


class Remembered(Generic[Value]):
    """Values by name, for so many seconds, in which they may change unnoticed; `limit` at most."""

    def __init__(self, seconds: float = 1.0, limit: int = 1_000) -> None:
        self._seconds = seconds
        self._limit = limit
        self._values: dict[str, tuple[float, Value]] = {}

    def get(self, name: str) -> Value | None:
        """The value, unless it was forgotten, or is too old."""
        kept = self._values.get(name)
        return kept[1] if kept and time.monotonic() < kept[0] else None

    def put(self, name: str, value: Value) -> Value:
        """Remember `value`, and give it back."""
        if len(self._values) >= self._limit:
            self._values.clear()
        self._values[name] = time.monotonic() + self._seconds, value
        return value

    def forget(self) -> None:
        self._values.clear()


@dataclass
class Counted:
    """How often something happened, when first and last, and what was said about it last."""

    first_at: datetime
    last_at: datetime
    count: int = 0
    detail: str = ""


class Tally:
    """Counts by name, kept here until they are taken away to where they last."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, ...], Counted] = {}
        self._lock = threading.Lock()

    def add(self, *name: str, detail: str) -> tuple[int, timedelta]:
        """Count one more. Returns how many names there are, and how old the oldest count is."""
        moment = datetime.now(UTC)
        with self._lock:
            found = self._counts.setdefault(name, Counted(moment, moment))
            found.count, found.last_at, found.detail = found.count + 1, moment, detail
            oldest = next(iter(self._counts.values()))
            return len(self._counts), moment - oldest.first_at

    def take(self) -> dict[tuple[str, ...], Counted]:
        """All counts; from now on they begin anew."""
        with self._lock:
            taken, self._counts = self._counts, {}
        return taken


class BusyError(Exception):
    """Enough of it is being done already, or was done a moment ago."""


class Allowance:
    """Lets things be done so many at a time, and so many under one name in each `seconds`."""

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._at_once = 0
        self._began = time.monotonic()
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def spend(self, name: str, most: int) -> None:
        """Count one more under `name`. Raises `BusyError` if there were `most` already."""
        with self._lock:
            if time.monotonic() - self._began >= self._seconds:
                self._forget()
            if self._counts[name] >= most:
                raise BusyError(name)
            self._counts[name] += 1

    @contextmanager
    def place(self, most: int) -> Iterator[None]:
        """One of `most` places, for the length of the `with` block. Raises `BusyError` at once if
        all are taken.
        """
        with self._lock:
            if self._at_once >= most:
                raise BusyError
            self._at_once += 1
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1

    def forget(self) -> None:
        """As if all that was counted were long ago."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._began = time.monotonic()
        self._counts.clear()
