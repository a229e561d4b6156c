"""What happened a moment ago, for this process only, and never more than so many."""

import threading
import time
from collections import OrderedDict


class Recent:
    """Tells whether something happened within the last `seconds`; forgets the oldest beyond
    `limit`.
    """

    def __init__(self, seconds: float = 60.0, limit: int = 10_000) -> None:
        self._seconds = seconds
        self._limit = limit
        self._seen: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def first(self, what: str) -> bool:
        """True, and remembered, unless `what` happened within the period."""
        moment = time.monotonic()
        with self._lock:
            last = self._seen.get(what)
            if last is not None and moment - last < self._seconds:
                return False
            self._seen[what] = moment
            self._seen.move_to_end(what)
            while len(self._seen) > self._limit:
                self._seen.popitem(last=False)
            return True
