"""Runs the sender threads: one thread leases requests for them and records the results.

Senders do not use the database. No host delays another: a degraded host (slow, or failed recently)
gets one request at a time, and only a share of the senders may serve such hosts.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue

import structlog
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from node.federating.models import Delivery
from node.federating.outbound.delivery_leases import Capacity, HostCursor
from node.federating.outbound.delivery_results import DeliveryResult, record_results
from node.federating.outbound.outgoing_requests import AttemptResult, OutgoingRequest, send
from node.federating.peers.dead_letters import dead_letter_host
from node.outages import is_outage
from node.queue import leases
from node.queue.error_isolation import describe_error
from node.runtime import Node

log = structlog.get_logger(__name__)

# Results recorded per transaction, and seconds they may wait for more.
MAX_RESULTS_PER_TRANSACTION = 64
MAX_UNRECORDED_SECONDS = 0.2
# Seconds after which new deliveries are looked for while senders wait for slow servers.
POLL_SECONDS = 0.2
# Seconds within which a server responds to count as quick, and get several requests at a time.
QUICK_RESPONSE_SECONDS = 1.0
# One of this many senders may serve degraded hosts.
DEGRADED_DIVISOR = 4
# Requests leased per sender, so that no sender waits for the database.
LEASED_PER_SENDER = 2
# Requests are leased when one of this many senders could take one.
MIN_FREE_DIVISOR = 2
# Hosts whose speed is remembered.
MAX_TRACKED_HOSTS = 10_000
# Seconds between wake-ups of other workers.
HELP_INTERVAL_SECONDS = 1.0


class SenderPool:
    """One run of the job. Its methods run in one thread, beside the threads of `pool`."""

    def __init__(self, node: Node, pool: ThreadPoolExecutor) -> None:
        self._node, self._pool = node, pool
        self._threads = node.settings.delivery_threads
        self._cursor = HostCursor(node)
        self._in_flight: dict[int, OutgoingRequest] = {}
        # The result is None for a request that was not sent because the node stops.
        self._results: SimpleQueue[tuple[OutgoingRequest, AttemptResult | None]] = SimpleQueue()
        # By host: whether it responds quickly.
        self._is_quick: dict[str, bool] = {}
        self._help_requested_at = 0.0

    def run(self) -> None:
        """Send until no delivery is due for any host, or the node stops."""
        try:
            while self._dispatch_due() or self._in_flight:
                self._record_results(self._collect_results())
        finally:  # record what was sent, or it would be sent again
            while self._in_flight:
                self._record_results(self._collect_results())

    def _dispatch_due(self) -> bool:
        """Lease and submit requests in one round of all hosts. False if nothing was due."""
        has_work, rounds = False, 1 if self._cursor.is_complete else 2
        while rounds and not self._node.jobs.stopping.is_set():
            capacity = self._free_capacity()
            if capacity.total < max(1, self._threads // MIN_FREE_DIVISOR):
                self._wake_another_worker()
                return True
            try:
                requests, was_postponed = self._cursor.lease(capacity, self._is_quick)
            except Exception as error:
                if not self._in_flight or not is_outage(error):
                    raise
                log.warning("deliveries could not be leased", reason=str(error))
                return True
            for request in requests:
                self._in_flight[request.id] = request
                self._pool.submit(self._send, request)
            has_work = has_work or bool(requests) or was_postponed
            rounds -= self._cursor.is_complete
        return has_work

    def _free_capacity(self) -> Capacity:
        degraded_in_flight = sum(request.is_degraded for request in self._in_flight.values())
        return Capacity(
            total=LEASED_PER_SENDER * self._threads - len(self._in_flight),
            degraded=max(1, self._threads // DEGRADED_DIVISOR) - degraded_in_flight,
        )

    def _wake_another_worker(self) -> None:
        """Wake another worker, since more is due than this one can send at once."""
        if time.monotonic() - self._help_requested_at > HELP_INTERVAL_SECONDS:
            self._help_requested_at = time.monotonic()
            self._node.jobs.wake(Delivery.JOB)

    def _send(self, request: OutgoingRequest) -> None:
        """Runs in a thread of the pool."""
        if self._node.jobs.stopping.is_set():
            self._results.put((request, None))
            return
        try:
            result = send(self._node.outbound, request)
        except Exception:
            log.exception("delivery could not be sent", inbox=request.inbox)
            result = AttemptResult(
                None, "This server could not send it. See its log.", is_own_failure=True
            )
        self._results.put((request, result))

    def _collect_results(self) -> list[DeliveryResult]:
        """The results so far, after a short wait for more."""
        results: list[DeliveryResult] = []
        unsent_ids: list[int] = []
        deadline = time.monotonic() + POLL_SECONDS
        while self._in_flight and len(results) < MAX_RESULTS_PER_TRANSACTION:
            try:
                request, result = self._results.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                break
            del self._in_flight[request.id]
            if result is None:
                unsent_ids.append(request.id)
                continue
            if not results:
                deadline = time.monotonic() + MAX_UNRECORDED_SECONDS
            results.append((request, result))
            if len(self._is_quick) < MAX_TRACKED_HOSTS:
                self._is_quick[request.host] = (
                    bool(result.host_responded) and result.seconds < QUICK_RESPONSE_SECONDS
                )
        if unsent_ids:
            self._release_leases(unsent_ids)
        return results

    def _release_leases(self, unsent_ids: list[int]) -> None:
        release = update(Delivery).where(Delivery.id.in_(unsent_ids)).values(leased_until=None)
        try:
            leases.record_with_retry(
                self._node, Delivery, lambda work: work.session.execute(release)
            )
        except DBAPIError:
            log.exception("leases could not be released", number=len(unsent_ids))

    def _record_results(self, results: list[DeliveryResult]) -> None:
        """Record results. In a database outage that outlasts the leases, they are lost and sent
        again. If the database rejects a batch, each result is recorded alone, and the rejected one
        as a failure.
        """
        if not results:
            return
        try:
            dead_hosts = leases.record_with_retry(
                self._node, Delivery, lambda work: record_results(work, results)
            )
            for host in dead_hosts:
                dead_letter_host(self._node, host)
        except Exception as error:
            if is_outage(error):
                log.exception("deliveries could not be recorded", number=len(results))
            elif len(results) > 1:
                for result in results:
                    self._record_results([result])
            else:
                self._record_unstorable(results[0], error)

    def _record_unstorable(self, result: DeliveryResult, error: Exception) -> None:
        request, attempt = result
        log.error("delivery could not be recorded", inbox=request.inbox, exc_info=error)
        if not attempt.is_own_failure:
            self._record_results(
                [(request, AttemptResult(None, describe_error(error), is_own_failure=True))]
            )
