"""Work of several threads done in one batch: shared, in isolation, and after an error."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest

from node.database.group_commit import GroupCommit
from node.testing.processes import wait_until

ITEMS = 8


class Act:
    """Doubles numbers, `bad` ones excepted. The first batch waits until it may go on."""

    def __init__(self, bad: Sequence[int] = (), error: type[BaseException] = ValueError) -> None:
        self.batches: list[Sequence[int]] = []
        self.may_go_on = Event()
        self._bad, self._error = bad, error

    def __call__(self, items: Sequence[int]) -> Sequence[int]:
        self.batches.append(tuple(items))
        self.may_go_on.wait(10)
        if set(items) & set(self._bad):
            raise self._error(str(items))
        return [2 * item for item in items]


def submitted(
    act: Act, commits: GroupCommit[int, int], pool: ThreadPoolExecutor
) -> list[Future[int]]:
    """Results of items 0 to 7. Item 0 is in a batch by itself, which ends once all others wait."""
    first = pool.submit(commits.submit, 0, act)
    wait_until(lambda: bool(act.batches), "in a batch")
    others = [pool.submit(commits.submit, item, act) for item in range(1, ITEMS)]
    wait_until(lambda: len(commits._waiting) == ITEMS - 1, "waiting")
    act.may_go_on.set()
    return [first, *others]


def test_items_that_arrive_during_a_batch_share_the_next_one() -> None:
    act, commits = Act(), GroupCommit[int, int]()
    with ThreadPoolExecutor(ITEMS) as pool:
        results = [result.result(10) for result in submitted(act, commits, pool)]
    assert results == [2 * item for item in range(ITEMS)]
    assert [sorted(batch) for batch in act.batches] == [[0], list(range(1, ITEMS))]


def test_an_item_that_fails_takes_no_other_with_it() -> None:
    act, commits = Act(bad=[3]), GroupCommit[int, int]()
    with ThreadPoolExecutor(ITEMS) as pool:
        results = submitted(act, commits, pool)
        errors = [type(result.exception(10)) for result in results]
    assert errors == [ValueError if item == 3 else type(None) for item in range(ITEMS)]
    assert [result.result() for item, result in enumerate(results) if item != 3] == [
        2 * item for item in range(ITEMS) if item != 3
    ]


def test_an_error_that_is_no_items_fault_reaches_all_and_nothing_is_repeated() -> None:
    act, commits = Act(bad=[3], error=OSError), GroupCommit[int, int]((OSError,))
    with ThreadPoolExecutor(ITEMS) as pool:
        errors = [type(result.exception(10)) for result in submitted(act, commits, pool)]
    assert errors == [type(None)] + [OSError] * (ITEMS - 1)
    assert len(act.batches) == 2


@pytest.mark.parametrize("error", [ValueError, SystemExit])
def test_items_are_still_processed_after_an_error(error: type[BaseException]) -> None:
    act, commits = Act(bad=[1], error=error), GroupCommit[int, int]()
    act.may_go_on.set()
    with pytest.raises(error):
        commits.submit(1, act)
    assert commits.submit(2, act) == 4
