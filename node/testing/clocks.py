"""A clock that a test moves while processes of a node run."""

import time
from datetime import datetime, timedelta, tzinfo
from multiprocessing.sharedctypes import RawValue
from typing import Any

from node import db


class MovableClock:
    """How far the clock of one machine is ahead, in seconds; all its processes share it.

    To be handed to a process when that is started.
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
        """Have this process read the time from here: the node, and libraries that ask for the
        seconds since 1970, such as those that date answers and sessions.
        """
        real, clock = time.time, self

        class Moved(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Any:
                return datetime.now(tz) + timedelta(seconds=clock.offset_seconds)

        time.time = lambda: real() + clock.offset_seconds
        db.datetime = Moved  # type: ignore[attr-defined]  # there `now` reads it
