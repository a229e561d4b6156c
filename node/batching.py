"""Group commit: what several threads want done at the same moment is done together, once."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class _Place(Generic[Item, Result]):
    """One thread's item in the queue, and what came of it."""

    item: Item
    result: Result | None = None
    error: Exception | None = None
    is_done: bool = False


class Batches(Generic[Item, Result]):
    """Whoever comes while a batch is under way waits for the next one, and shares it."""

    def __init__(self, most: int = 200) -> None:
        self._most = most
        self._waiting: deque[_Place[Item, Result]] = deque()
        self._turn = threading.Lock()

    def outcome(self, item: Item, act: Callable[[Sequence[Item]], Sequence[Result]]) -> Result:
        """What `act` made of `item`, alone or together with others' items: one result for each.

        Raises what `act` raises for this item alone.
        """
        place: _Place[Item, Result] = _Place(item)
        self._waiting.append(place)
        with self._turn:
            while not place.is_done:
                count = min(len(self._waiting), self._most)
                _act([self._waiting.popleft() for _ in range(count)], act)
        if place.error is not None:
            raise place.error
        return place.result  # type: ignore[return-value]  # it is done


def _act(
    places: Sequence[_Place[Item, Result]], act: Callable[[Sequence[Item]], Sequence[Result]]
) -> None:
    """A batch that fails is done again one by one: an item fails for its own faults only."""
    try:
        results = act([place.item for place in places])
    except Exception as error:  # noqa: BLE001 -- whoever waits gets it
        if len(places) > 1:
            for place in places:
                _act([place], act)
            return
        places[0].error = error
    else:
        for place, result in zip(places, results, strict=True):
            place.result = result
    for place in places:
        place.is_done = True
