"""A clock that tests move while the processes of a node run."""

import time
from datetime import datetime, timedelta, tzinfo
from multiprocessing.sharedctypes import RawValue
from typing import Any

from node.database import tables


class MovableClock:
    """A clock ahead of real time by `offset_seconds`, shared by processes.

    Pass it to each process at its start.
    """

    def __init__(self) -> None:
        self._offset_seconds: Any = RawValue("d", 0.0)

    @property
    def offset_seconds(self) -> float:
        return float(self._offset_seconds.value)

    @offset_seconds.setter
    def offset_seconds(self, seconds: float) -> None:
        self._offset_seconds.value = seconds

    def install(self) -> None:
        """Have this process use the clock: the node, and libraries that call `time.time`, such as
        those that date responses and sessions.
        """
        real_time, clock = time.time, self

        class MovedDatetime(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Any:
                return datetime.now(tz) + timedelta(seconds=clock.offset_seconds)

        time.time = lambda: real_time() + clock.offset_seconds
        tables.datetime = MovedDatetime  # type: ignore[attr-defined]  # `tables.now` uses it
