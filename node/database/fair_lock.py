"""A lock that threads acquire in the order in which they asked for it.

SQLite allows one writer at a time and its busy handler polls, so a thread that writes without a
pause would starve the others.
"""

import threading
from collections import deque


class FairLock:
    """A lock that passes to the thread that has waited longest."""

    def __init__(self) -> None:
        self._is_taken = False
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    def acquire(self, seconds: float) -> bool:
        """Acquire the lock. Returns False if that took longer than `seconds`."""
        with self._lock:
            if not self._is_taken:
                self._is_taken = True
                return True
            ready = threading.Lock()
            ready.acquire()
            self._waiting.append(ready)
        if ready.acquire(timeout=seconds):
            return True
        with self._lock:
            if ready in self._waiting:
                self._waiting.remove(ready)
                return False
        return True  # released to this thread just after the timeout

    def release(self) -> None:
        """Pass the lock to the next thread."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False
