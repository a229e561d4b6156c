"""Group commit: items that several threads submit at the same moment are processed as one batch.

The inbox stores the messages of a batch in one transaction: see `node.federating.inbound.inbox`.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
# How long a batch waits, in seconds, to become as large as the one before.
MAX_WAIT_SECONDS = 0.01


class _Pending(Generic[Item, Result]):
    """One thread's item in the queue, and its result. `wakeup` is released when the item is done,
    or when this thread is to run the next batch.
    """

    def __init__(self, item: Item) -> None:
        self.item = item
        self.wakeup = threading.Lock()
        self.wakeup.acquire()
        self.result: Result | None = None
        self.error: BaseException | None = None
        self.is_done = False


class GroupCommit(Generic[Item, Result]):
    """Gathers the items that threads submit while a batch runs into the next batch, which one of
    these threads runs for all.

    `common_errors` are not caused by an item: they are raised for the whole batch without a retry.
    """

    def __init__(self, common_errors: tuple[type[Exception], ...] = ()) -> None:
        self._common_errors = common_errors
        self._waiting: list[_Pending[Item, Result]] = []
        self._expected_size = 1
        self._has_leader = False
        self._lock = threading.Lock()
        self._is_full = threading.Event()

    def submit(self, item: Item, act: Callable[[Sequence[Item]], Sequence[Result]]) -> Result:
        """The result of `act` for `item`. `act` is called with a batch of items, this and other
        threads', and returns one result for each.

        Raises what `act` raises for this item alone.
        """
        pending: _Pending[Item, Result] = _Pending(item)
        with self._lock:
            self._waiting.append(pending)
            is_first, self._has_leader = not self._has_leader, True
            if len(self._waiting) >= self._expected_size:
                self._is_full.set()
        if not is_first:
            pending.wakeup.acquire()
        if not pending.is_done:
            self._run_batch(act)
        if pending.error is not None:
            raise pending.error
        return pending.result  # type: ignore[return-value]  # set, since it is done

    def _run_batch(self, act: Callable[[Sequence[Item]], Sequence[Result]]) -> None:
        """Process the waiting items, and have the first thread that arrived meanwhile lead next."""
        self._is_full.wait(MAX_WAIT_SECONDS)
        with self._lock:
            batch, self._waiting = self._waiting, []
            self._expected_size = len(batch)
            self._is_full.clear()
        self._process(batch, act)
        with self._lock:
            batch += self._waiting[:1]
            self._has_leader = bool(self._waiting)
        for pending in batch:
            pending.wakeup.release()

    def _process(
        self,
        batch: Sequence[_Pending[Item, Result]],
        act: Callable[[Sequence[Item]], Sequence[Result]],
    ) -> None:
        """Process a batch; if that fails, each item alone, so that items fail independently."""
        try:
            results = act([pending.item for pending in batch])
        except BaseException as error:  # noqa: BLE001 -- raised in the thread of each item
            if len(batch) > 1 and not isinstance(error, self._common_errors):
                for pending in batch:
                    self._process([pending], act)
                return
            for pending in batch:
                pending.error = error
        else:
            for pending, result in zip(batch, results, strict=True):
                pending.result = result
        for pending in batch:
            pending.is_done = True
