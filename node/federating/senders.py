"""The threads that send, and the one that gives them letters and records what comes back.

The senders touch no database. No host, slow or dead, holds up another: one that failed lately or is
slow gets one letter at a time, and of the senders only a share waits for such hosts.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue

import structlog
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from node.federating import queues
from node.federating.giving_up import give_up_lost
from node.federating.leasing import Room, Round
from node.federating.models import Delivery
from node.federating.recording import Result, record
from node.federating.sending import Letter, Tried, send
from node.isolation import describe
from node.outages import is_outage
from node.runtime import Node

log = structlog.get_logger(__name__)

# So many results, or those of so many seconds, are recorded in one transaction.
RECORDED_AT_ONCE = 64
LONGEST_UNRECORDED = 0.2
# What is published while slow servers are waited for is seen so soon, in seconds.
LOOK_AGAIN = 0.2
# A server that answers in so many seconds gets several deliveries at a time.
QUICK = 1.0
# Of the senders, one in so many may wait for servers that failed lately or are slow.
CAREFUL_SHARE = 4
# Letters are leased for so many times the senders, so that none of these waits for the database.
PREPARED = 2
# Letters are leased once there is room for one for every so many senders.
LEASED_SHARE = 2
# The speed of so many hosts is remembered.
MOST_PACED = 10_000
# Seconds between two calls to other workers for help.
BETWEEN_CALLS = 1.0


class Senders:
    """One run of the job: used by one thread, beside those of `pool`."""

    def __init__(self, node: Node, pool: ThreadPoolExecutor) -> None:
        self._node, self._pool = node, pool
        self._threads = node.settings.delivery_threads
        self._round = Round(node)
        self._under_way: dict[int, Letter] = {}
        # None for what was not sent, since the node stops.
        self._back: SimpleQueue[tuple[Letter, Tried | None]] = SimpleQueue()
        # Which hosts answer quickly (True) or slowly (False).
        self._pace: dict[str, bool] = {}
        self._called = 0.0

    def run(self) -> None:
        """Until nothing is due at any host, or the node stops."""
        try:
            while self._hand_out() or self._under_way:
                self._record(self._collect())
        finally:  # whatever stops it: what was sent is not to be sent again
            while self._under_way:
                self._record(self._collect())

    def _hand_out(self) -> bool:
        """Lease what there is room for, once round all hosts. False if there was nothing."""
        found, ways = False, 1 if self._round.is_complete else 2
        while ways and not self._node.jobs.stopping.is_set():
            room = self._room()
            if room.most < max(1, self._threads // LEASED_SHARE):
                self._call_for_help()
                return True
            try:
                letters, stepped_back = self._round.take(room, self._pace)
            except Exception as error:
                if not self._under_way or not is_outage(error):
                    raise
                log.warning("no more deliveries can be leased for now", why=str(error))
                return True
            for letter in letters:
                self._under_way[letter.id] = letter
                self._pool.submit(self._send, letter)
            found = found or bool(letters) or stepped_back
            ways -= self._round.is_complete
        return found

    def _room(self) -> Room:
        careful = sum(letter.is_careful for letter in self._under_way.values())
        return Room(
            most=PREPARED * self._threads - len(self._under_way),
            careful=max(1, self._threads // CAREFUL_SHARE) - careful,
        )

    def _call_for_help(self) -> None:
        """There is more than this worker sends at once: another one may take some of it."""
        if time.monotonic() - self._called > BETWEEN_CALLS:
            self._called = time.monotonic()
            self._node.jobs.wake(Delivery.JOB)

    def _send(self, letter: Letter) -> None:
        """In a thread of the pool."""
        if self._node.jobs.stopping.is_set():
            self._back.put((letter, None))
            return
        try:
            tried = send(self._node.outbound, letter)
        except Exception:
            log.exception("a delivery could not be sent", inbox=letter.inbox)
            tried = Tried(None, "This node could not send it; its log says why.", is_ours=True)
        self._back.put((letter, tried))

    def _collect(self) -> list[Result]:
        """What has come back: soon, and many at once."""
        results: list[Result] = []
        unsent: list[int] = []
        until = time.monotonic() + LOOK_AGAIN
        while self._under_way and len(results) < RECORDED_AT_ONCE:
            try:
                letter, tried = self._back.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                break
            del self._under_way[letter.id]
            if tried is None:
                unsent.append(letter.id)
                continue
            if not results:
                until = time.monotonic() + LONGEST_UNRECORDED
            results.append((letter, tried))
            if len(self._pace) < MOST_PACED:
                self._pace[letter.host] = bool(tried.is_answered) and tried.seconds < QUICK
        if unsent:
            self._release(unsent)
        return results

    def _release(self, unsent: list[int]) -> None:
        free = update(Delivery).where(Delivery.id.in_(unsent)).values(leased_until=None)
        try:
            queues.record(self._node, Delivery, lambda work: work.session.execute(free))
        except DBAPIError:
            log.exception("leases could not be released, and run out", number=len(unsent))

    def _record(self, results: list[Result]) -> None:
        """Where the database is away for longer than the leases last, all of them are sent again.
        Of results that it refuses, each is recorded alone, and the one at fault as a failure.
        """
        if not results:
            return
        try:
            lost = queues.record(self._node, Delivery, lambda work: record(work, results))
            for host in lost:
                give_up_lost(self._node, host)
        except Exception as error:
            if is_outage(error):
                log.exception("deliveries could not be recorded", number=len(results))
            elif len(results) > 1:
                for result in results:
                    self._record([result])
            else:
                self._record_refused(results[0], error)

    def _record_refused(self, result: Result, error: Exception) -> None:
        letter, tried = result
        log.error("a delivery could not be recorded", inbox=letter.inbox, exc_info=error)
        if not tried.is_ours:
            self._record([(letter, Tried(None, describe(error), is_ours=True))])
