"""What came of something a moment ago: in this process only, of so many things at most."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
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
