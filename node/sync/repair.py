"""Asking an origin about projects, updates and documents of plugins one by one, and doing what it
says: keep, replace, remove.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from node.councils.models import Council
from node.db import now
from node.federating import actors, fetching
from node.federating.models import Comparison
from node.projects.models import Visibility
from node.runtime import Node
from node.sync import digests, ingest
from node.updates.federate import RemoteUpdate

# So long one comparison goes on, in seconds, before others have their turn.
MAX_SECONDS = 120
# An origin is asked for so many at once; it has others to answer, too.
CONCURRENT_FETCHES = 4
# What was fetched is kept so many at a time.
BATCH_SIZE = 24
# What an origin answers where there is nothing for us, or nothing at all.
MISSING_STATUSES = frozenset({401, 403, 404, 410})
GONE_STATUS = 410


@dataclass(frozen=True)
class ComparisonTarget:
    """Whom a comparison is with. `council_id` is None for one that ours does not follow, `digest`
    for one that does not say what it has. Where `followers_url` is set, they are to be compared.
    """

    row_id: int
    actor_id: int
    actor_uri: str
    council_id: int | None
    digest: str | None
    followers_url: str | None


@dataclass
class ReconcileReport:
    """What one comparison found and did, and what it has to say.

    `agreed`: both are the same. `is_over`: there is nothing to compare. `reads_all`: too much
    differs, and everything is being read again.
    """

    is_in_sync: bool = False
    is_skipped: bool = False
    restarts_backfill: bool = False
    different: int = 0
    fetched: int = 0
    removed: int = 0
    left_out: int = 0
    messages: list[str] = field(default_factory=list)


def fetch_pool() -> ThreadPoolExecutor:
    """Threads that ask one origin."""
    return ThreadPoolExecutor(CONCURRENT_FETCHES, thread_name_prefix="settling")


class Repair:
    """The projects and updates of one subject, asked for at their origin."""

    def __init__(self, node: Node, subject: ComparisonTarget, found: ReconcileReport) -> None:
        self._node, self._target, self._report = node, subject, found
        self._began = self._renewed = time.monotonic()
        self._asked_at = now()
        self._listed: frozenset[str] = frozenset()
        self._waiting: dict[str, None] = {}
        self._fetched: list[ingest.RemoteObject] = []
        self._missing: dict[str, int] = {}

    @property
    def is_time_up(self) -> bool:
        too_long = time.monotonic() - self._began > MAX_SECONDS
        return too_long or self._node.jobs.stopping.is_set()

    def list_held(self, session: Session, number: int) -> dict[str, str]:
        """What we hold of one bucket: ids and revisions."""
        council_id = self._target.council_id or 0
        return digests.list_entries(session, council_id, number, Visibility.peers)

    def run(self, listed: Sequence[str], unlisted: Sequence[str]) -> None:
        """Ask for each, and keep or remove what comes of it; for a project before its updates.

        Raises `NotFetchedError` when the origin no longer answers.
        """
        self._listed = frozenset(listed)
        self._waiting = dict.fromkeys((*listed, *unlisted))
        try:
            while self._waiting:
                if self.is_time_up:
                    self._report.messages.append("more is to come")
                    break
                self._asked_at = now()
                of_projects = self._fetch_batch([*self._waiting][:BATCH_SIZE])
                self._fetch_batch([uri for uri in of_projects if uri in self._waiting])
                self._save()
        finally:
            self._save()
            if self._report.left_out:
                self._report.messages.append(f"{self._report.left_out} could not be kept")

    def _fetch_batch(self, uris: Sequence[str]) -> list[str]:
        """Ask for these, some at a time. Returns which projects they are updates of."""
        for uri in uris:
            del self._waiting[uri]
        projects: dict[str, None] = {}
        with fetch_pool() as pool:
            for uri, answer in zip(uris, pool.map(self._fetch, uris), strict=True):
                self._sort_result(uri, answer)
                if isinstance(answer, RemoteUpdate):
                    projects[answer.project_uri] = None
                self.renew_lease()
        return list(projects)

    def _fetch(self, uri: str) -> ingest.RemoteObject | fetching.FetchError | None:
        """What its origin says that it is; None for what we cannot read.

        Raises `NotFetchedError` when the origin does not answer.
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

    def _sort_result(
        self, uri: str, answer: ingest.RemoteObject | fetching.FetchError | None
    ) -> None:
        if answer is None:
            self._report.left_out += 1
        elif not isinstance(answer, fetching.FetchError):
            self._fetched.append(answer)
        elif answer.status in MISSING_STATUSES:
            self._missing[uri] = answer.status or 0
        else:
            self._report.left_out += 1

    def _save(self) -> None:
        """Write what was answered, and how far we are."""
        if not self._fetched and not self._missing:
            return
        told, away, self._fetched, self._missing = self._fetched, self._missing, [], {}
        found = self._report
        with self._node.work(by=self._target.actor_uri) as work:
            actors.lock(work.session, [self._target.actor_uri])
            council = work.session.get_one(Council, self._target.council_id)
            left_out = ingest.upsert(work, council, told, self._asked_at)
            for uri, status in away.items():
                if ingest.remove_missing(work, council, uri, deleted=status == GONE_STATUS):
                    found.removed += 1
                elif uri in self._listed:
                    found.left_out += 1
            found.fetched += len(told) - len(left_out)
            found.left_out += len(left_out)
            row = work.session.get_one(Comparison, self._target.row_id)
            row.different, row.fetched, row.removed = (
                found.different,
                found.fetched,
                found.removed,
            )
            row.leased_until = self._lease_end()
        self._renewed = time.monotonic()

    def renew_lease(self) -> None:
        """It takes long: nobody else shall begin with it."""
        if time.monotonic() - self._renewed < self._node.settings.lease_seconds / 3:
            return
        with self._node.work(by=Comparison.JOB) as work:
            work.session.get_one(Comparison, self._target.row_id).leased_until = self._lease_end()
        self._renewed = time.monotonic()

    def _lease_end(self) -> datetime:
        return now() + timedelta(seconds=self._node.settings.lease_seconds)
