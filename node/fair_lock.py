"""Turns: threads that want the same thing get it in the order they came.

SQLite lets one write at a time, and whoever finds it busy looks again every now and then: a thread
that writes without a pause would leave the others none.
"""

import threading
from collections import deque


class FairLock:
    """A lock that is handed on to whoever has waited longest."""

    def __init__(self) -> None:
        self._is_taken = False
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    def acquire(self, seconds: float) -> bool:
        """Wait for one's turn; False where it did not come within so many seconds."""
        with self._lock:
            if not self._is_taken:
                self._is_taken = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=seconds):
            return True
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
        return True  # it came in the last moment

    def release(self) -> None:
        """Hand it on."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False
