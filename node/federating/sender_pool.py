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

from node.error_isolation import describe_error
from node.federating import queues
from node.federating.dead_letters import dead_letter_host
from node.federating.delivery_leasing import Capacity, HostCursor
from node.federating.delivery_results import DeliveryResult, record_results
from node.federating.models import Delivery
from node.federating.outgoing_requests import AttemptResult, OutgoingRequest, send
from node.outages import is_outage
from node.runtime import Node

log = structlog.get_logger(__name__)

# So many results, or those of so many seconds, are recorded in one transaction.
MAX_RESULTS_PER_TRANSACTION = 64
MAX_UNRECORDED_SECONDS = 0.2
# What is published while slow servers are waited for is seen so soon, in seconds.
POLL_SECONDS = 0.2
# A server that answers in so many seconds gets several deliveries at a time.
QUICK_SECONDS = 1.0
# Of the senders, one in so many may wait for servers that failed lately or are slow.
DEGRADED_SHARE = 4
# Letters are leased for so many times the senders, so that none of these waits for the database.
LEASED_PER_SENDER = 2
# Letters are leased once there is room for one for every so many senders.
MIN_FREE_SHARE = 2
# The speed of so many hosts is remembered.
MAX_TRACKED_HOSTS = 10_000
# Seconds between two calls to other workers for help.
HELP_INTERVAL_SECONDS = 1.0


class SenderPool:
    """One run of the job: used by one thread, beside those of `pool`."""

    def __init__(self, node: Node, pool: ThreadPoolExecutor) -> None:
        self._node, self._pool = node, pool
        self._threads = node.settings.delivery_threads
        self._cursor = HostCursor(node)
        self._in_flight: dict[int, OutgoingRequest] = {}
        # None for what was not sent, since the node stops.
        self._results: SimpleQueue[tuple[OutgoingRequest, AttemptResult | None]] = SimpleQueue()
        # Which hosts answer quickly (True) or slowly (False).
        self._is_quick: dict[str, bool] = {}
        self._help_requested_at = 0.0

    def run(self) -> None:
        """Until nothing is due at any host, or the node stops."""
        try:
            while self._dispatch_due() or self._in_flight:
                self._record(self._collect())
        finally:  # whatever stops it: what was sent is not to be sent again
            while self._in_flight:
                self._record(self._collect())

    def _dispatch_due(self) -> bool:
        """Lease what there is room for, once round all hosts. False if there was nothing."""
        found, ways = False, 1 if self._cursor.is_complete else 2
        while ways and not self._node.jobs.stopping.is_set():
            room = self._free_capacity()
            if room.total < max(1, self._threads // MIN_FREE_SHARE):
                self._request_help()
                return True
            try:
                letters, stepped_back = self._cursor.lease(room, self._is_quick)
            except Exception as error:
                if not self._in_flight or not is_outage(error):
                    raise
                log.warning("no more deliveries can be leased for now", why=str(error))
                return True
            for letter in letters:
                self._in_flight[letter.id] = letter
                self._pool.submit(self._send, letter)
            found = found or bool(letters) or stepped_back
            ways -= self._cursor.is_complete
        return found

    def _free_capacity(self) -> Capacity:
        careful = sum(letter.is_degraded for letter in self._in_flight.values())
        return Capacity(
            total=LEASED_PER_SENDER * self._threads - len(self._in_flight),
            degraded=max(1, self._threads // DEGRADED_SHARE) - careful,
        )

    def _request_help(self) -> None:
        """There is more than this worker sends at once: another one may take some of it."""
        if time.monotonic() - self._help_requested_at > HELP_INTERVAL_SECONDS:
            self._help_requested_at = time.monotonic()
            self._node.jobs.wake(Delivery.JOB)

    def _send(self, letter: OutgoingRequest) -> None:
        """In a thread of the pool."""
        if self._node.jobs.stopping.is_set():
            self._results.put((letter, None))
            return
        try:
            tried = send(self._node.outbound, letter)
        except Exception:
            log.exception("a delivery could not be sent", inbox=letter.inbox)
            tried = AttemptResult(
                None, "This node could not send it; its log says why.", is_own_failure=True
            )
        self._results.put((letter, tried))

    def _collect(self) -> list[DeliveryResult]:
        """What has come back: soon, and many at once."""
        results: list[DeliveryResult] = []
        unsent: list[int] = []
        until = time.monotonic() + POLL_SECONDS
        while self._in_flight and len(results) < MAX_RESULTS_PER_TRANSACTION:
            try:
                letter, tried = self._results.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                break
            del self._in_flight[letter.id]
            if tried is None:
                unsent.append(letter.id)
                continue
            if not results:
                until = time.monotonic() + MAX_UNRECORDED_SECONDS
            results.append((letter, tried))
            if len(self._is_quick) < MAX_TRACKED_HOSTS:
                self._is_quick[letter.host] = (
                    bool(tried.host_responded) and tried.seconds < QUICK_SECONDS
                )
        if unsent:
            self._release_leases(unsent)
        return results

    def _release_leases(self, unsent: list[int]) -> None:
        free = update(Delivery).where(Delivery.id.in_(unsent)).values(leased_until=None)
        try:
            queues.record_with_retry(self._node, Delivery, lambda work: work.session.execute(free))
        except DBAPIError:
            log.exception("leases could not be released, and run out", number=len(unsent))

    def _record(self, results: list[DeliveryResult]) -> None:
        """Where the database is away for longer than the leases last, all of them are sent again.
        Of results that it refuses, each is recorded alone, and the one at fault as a failure.
        """
        if not results:
            return
        try:
            lost = queues.record_with_retry(
                self._node, Delivery, lambda work: record_results(work, results)
            )
            for host in lost:
                dead_letter_host(self._node, host)
        except Exception as error:
            if is_outage(error):
                log.exception("deliveries could not be recorded", number=len(results))
            elif len(results) > 1:
                for result in results:
                    self._record([result])
            else:
                self._record_unstorable(results[0], error)

    def _record_unstorable(self, result: DeliveryResult, error: Exception) -> None:
        letter, tried = result
        log.error("a delivery could not be recorded", inbox=letter.inbox, exc_info=error)
        if not tried.is_own_failure:
            self._record(
                [(letter, AttemptResult(None, describe_error(error), is_own_failure=True))]
            )
