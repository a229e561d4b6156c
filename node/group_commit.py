"""Group commit: what several threads want done at the same moment is done together, once."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
# A batch waits so long, in seconds, for as many as came to the one before.
MAX_WAIT_SECONDS = 0.01


class _Pending(Generic[Item, Result]):
    """One thread's item in the queue, and what came of it. `turn` is held until it is done, or this
    thread is to do the next batch.
    """

    def __init__(self, item: Item) -> None:
        self.item = item
        self.wakeup = threading.Lock()
        self.wakeup.acquire()
        self.result: Result | None = None
        self.error: BaseException | None = None
        self.is_done = False


class GroupCommit(Generic[Item, Result]):
    """Whoever comes while a batch is under way waits for the next one, and shares it.

    One of the threads that wait does the batch for all of them. `common_errors` are no item's
    fault: they go to all that share a batch, and none of it is done again.
    """

    def __init__(self, common_errors: tuple[type[Exception], ...] = ()) -> None:
        self._common_errors = common_errors
        self._waiting: list[_Pending[Item, Result]] = []
        self._expected_size = 1
        self._has_leader = False
        self._lock = threading.Lock()
        self._is_full = threading.Event()

    def submit(self, item: Item, act: Callable[[Sequence[Item]], Sequence[Result]]) -> Result:
        """What `act` made of `item`, alone or together with others' items: one result for each.

        Raises what `act` raises for this item alone.
        """
        place: _Pending[Item, Result] = _Pending(item)
        with self._lock:
            self._waiting.append(place)
            is_first, self._has_leader = not self._has_leader, True
            if len(self._waiting) >= self._expected_size:
                self._is_full.set()
        if not is_first:
            place.wakeup.acquire()
        if not place.is_done:
            self._run_batch(act)
        if place.error is not None:
            raise place.error
        return place.result  # type: ignore[return-value]  # it is done

    def _run_batch(self, act: Callable[[Sequence[Item]], Sequence[Result]]) -> None:
        """Do what waits, and hand on to the first of those who came meanwhile."""
        self._is_full.wait(MAX_WAIT_SECONDS)
        with self._lock:
            batch, self._waiting = self._waiting, []
            self._expected_size = len(batch)
            self._is_full.clear()
        self._process(batch, act)
        with self._lock:
            batch += self._waiting[:1]
            self._has_leader = bool(self._waiting)
        for place in batch:
            place.wakeup.release()

    def _process(
        self,
        places: Sequence[_Pending[Item, Result]],
        act: Callable[[Sequence[Item]], Sequence[Result]],
    ) -> None:
        """A batch that fails is done again one by one: an item fails for its own faults only."""
        try:
            results = act([place.item for place in places])
        except BaseException as error:  # noqa: BLE001 -- whoever waits gets it
            if len(places) > 1 and not isinstance(error, self._common_errors):
                for place in places:
                    self._process([place], act)
                return
            for place in places:
                place.error = error
        else:
            for place, result in zip(places, results, strict=True):
                place.result = result
        for place in places:
            place.is_done = True
