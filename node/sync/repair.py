"""Fetches projects, updates and plugin documents one by one from their origin, and stores or
removes them accordingly.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from node.access.audiences import PEERS
from node.councils.models import Council
from node.database.tables import now
from node.federating.identity import actors
from node.federating.models import Comparison
from node.federating.peers import fetching
from node.principal import Principal
from node.runtime import Node
from node.sync import digests, ingest
from node.updates.federate import RemoteUpdate

# Seconds after which a comparison stops, so that others get their turn.
MAX_SECONDS = 120
# Fetches from one origin at the same time; it has other requests to serve.
CONCURRENT_FETCHES = 4
# Fetched objects stored per transaction.
BATCH_SIZE = 24
# Statuses of an origin that has no such object, or none that we may see.
MISSING_STATUSES = frozenset({401, 403, 404, 410})
GONE_STATUS = 410


@dataclass(frozen=True)
class ComparisonTarget:
    """The council to compare with. `council_id` is None if ours does not follow it, `digest` if it
    publishes no digest. `followers_url` is set if follower lists are to be compared.
    """

    row_id: int
    actor_id: int
    actor_uri: str
    council_id: int | None
    digest_url: str | None
    followers_url: str | None


@dataclass
class ReconcileReport:
    """The result of one comparison, with messages for the operator.

    `is_in_sync`: both are equal. `is_skipped`: there is nothing to compare. `restarts_backfill`:
    too much differs, and everything is read again.
    """

    is_in_sync: bool = False
    is_skipped: bool = False
    restarts_backfill: bool = False
    difference_count: int = 0
    fetched_count: int = 0
    removed_count: int = 0
    left_out_count: int = 0
    messages: list[str] = field(default_factory=list)


def create_fetch_pool() -> ThreadPoolExecutor:
    """A pool of threads for one origin."""
    return ThreadPoolExecutor(CONCURRENT_FETCHES, thread_name_prefix="repair")


class Repair:
    """Repairs our copy of the objects of one target."""

    def __init__(self, node: Node, target: ComparisonTarget, report: ReconcileReport) -> None:
        self._node, self._target, self._report = node, target, report
        self._started_at = self._renewed_at = time.monotonic()
        self._asked_at = now()
        self._listed: frozenset[str] = frozenset()
        self._waiting: dict[str, None] = {}
        self._fetched: list[ingest.RemoteObject] = []
        self._missing: dict[str, int] = {}

    @property
    def is_time_up(self) -> bool:
        too_long = time.monotonic() - self._started_at > MAX_SECONDS
        return too_long or self._node.jobs.stopping.is_set()

    def list_stored_revisions(self, session: Session, number: int) -> dict[str, str]:
        """The revisions of our copy in one bucket, by id."""
        council_id = self._target.council_id or 0
        return digests.list_entries(session, council_id, number, PEERS)

    def run(self, listed: Sequence[str], unlisted: Sequence[str]) -> None:
        """Fetch each object, and store or remove it; projects before their updates.

        Raises `FetchError` when the origin stops responding.
        """
        self._listed = frozenset(listed)
        self._waiting = dict.fromkeys((*listed, *unlisted))
        try:
            while self._waiting:
                if self.is_time_up:
                    self._report.messages.append("to be continued")
                    break
                self._asked_at = now()
                project_uris = self._fetch_batch([*self._waiting][:BATCH_SIZE])
                self._fetch_batch([uri for uri in project_uris if uri in self._waiting])
                self._save()
        finally:
            self._save()
            if self._report.left_out_count:
                self._report.messages.append(f"{self._report.left_out_count} could not be stored")

    def _fetch_batch(self, uris: Sequence[str]) -> list[str]:
        """Fetch a batch, some at a time. Returns the URIs of the projects of its updates."""
        for uri in uris:
            del self._waiting[uri]
        projects: dict[str, None] = {}
        with create_fetch_pool() as pool:
            for uri, result in zip(uris, pool.map(self._fetch, uris), strict=True):
                self._classify_result(uri, result)
                if isinstance(result, RemoteUpdate):
                    projects[result.project_uri] = None
                self.renew_lease()
        return list(projects)

    def _fetch(self, uri: str) -> ingest.RemoteObject | fetching.FetchError | None:
        """The object at its origin; the error if it is missing or invalid; None if it cannot be
        parsed.

        Raises `FetchError` if the origin does not respond.
        """
        try:
            document = fetching.fetch_document(self._node, uri)
            return ingest.parse(document) or ingest.parse_plugin_document(
                self._node.hooks, document
            )
        except fetching.FetchError as error:
            if error.status in MISSING_STATUSES or error.permanent:
                return error
            raise

    def _classify_result(
        self, uri: str, result: ingest.RemoteObject | fetching.FetchError | None
    ) -> None:
        if result is None:
            self._report.left_out_count += 1
        elif not isinstance(result, fetching.FetchError):
            self._fetched.append(result)
        elif result.status in MISSING_STATUSES:
            self._missing[uri] = result.status or 0
        else:
            self._report.left_out_count += 1

    def _save(self) -> None:
        """Store the fetched objects and the progress."""
        if not self._fetched and not self._missing:
            return
        fetched, missing, self._fetched, self._missing = self._fetched, self._missing, [], {}
        report = self._report
        with self._node.work(by=Principal.actor(self._target.actor_uri)) as work:
            actors.lock(work.session, [self._target.actor_uri])
            council = work.session.get_one(Council, self._target.council_id)
            left_out = ingest.upsert(work, council, fetched, self._asked_at)
            for uri, status in missing.items():
                if ingest.remove_missing(work, council, uri, deleted=status == GONE_STATUS):
                    report.removed_count += 1
                elif uri in self._listed:
                    report.left_out_count += 1
            report.fetched_count += len(fetched) - len(left_out)
            report.left_out_count += len(left_out)
            row = work.session.get_one(Comparison, self._target.row_id)
            row.different, row.fetched, row.removed = (
                report.difference_count,
                report.fetched_count,
                report.removed_count,
            )
            row.leased_until = self._lease_end()
        self._renewed_at = time.monotonic()

    def renew_lease(self) -> None:
        """Extend the lease during a long comparison, so that no other worker takes it."""
        if time.monotonic() - self._renewed_at < self._node.settings.lease_seconds / 3:
            return
        with self._node.work(by=Principal.job(Comparison.JOB)) as work:
            work.session.get_one(Comparison, self._target.row_id).leased_until = self._lease_end()
        self._renewed_at = time.monotonic()

    def _lease_end(self) -> datetime:
        return now() + timedelta(seconds=self._node.settings.lease_seconds)
