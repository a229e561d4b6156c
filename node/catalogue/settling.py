"""Asking an origin about projects, updates and documents of plugins one by one, and doing what it
says: keep, replace, remove.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from node.catalogue import digests, reading
from node.councils.models import Council
from node.db import now
from node.federating import actors, fetching
from node.federating.models import Comparison
from node.projects.models import Visibility
from node.runtime import Node
from node.updates.federate import RemoteUpdate

# So long one comparison goes on, in seconds, before others have their turn.
LONGEST = 120
# An origin is asked for so many at once; it has others to answer, too.
AT_ONCE = 4
# What was fetched is kept so many at a time.
KEPT_AT_ONCE = 24
# What an origin answers where there is nothing for us, or nothing at all.
AWAY = frozenset({401, 403, 404, 410})
GONE = 410


@dataclass(frozen=True)
class Subject:
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
class Found:
    """What one comparison found and did, and what it has to say.

    `agreed`: both are the same. `is_over`: there is nothing to compare. `reads_all`: too much
    differs, and everything is being read again.
    """

    agreed: bool = False
    is_over: bool = False
    reads_all: bool = False
    different: int = 0
    fetched: int = 0
    removed: int = 0
    left_out: int = 0
    words: list[str] = field(default_factory=list)


def asking() -> ThreadPoolExecutor:
    """Threads that ask one origin."""
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="settling")


class Settling:
    """The projects and updates of one subject, asked for at their origin."""

    def __init__(self, node: Node, subject: Subject, found: Found) -> None:
        self._node, self._subject, self._found = node, subject, found
        self._began = self._held = time.monotonic()
        self._asked_at = now()
        self._listed: frozenset[str] = frozenset()
        self._waiting: dict[str, None] = {}
        self._told: list[reading.Told] = []
        self._away: dict[str, int] = {}

    @property
    def is_time_up(self) -> bool:
        too_long = time.monotonic() - self._began > LONGEST
        return too_long or self._node.jobs.stopping.is_set()

    def entries(self, session: Session, number: int) -> dict[str, str]:
        """What we hold of one bucket: ids and revisions."""
        council_id = self._subject.council_id or 0
        return digests.entries(session, council_id, number, Visibility.peers)

    def ask(self, listed: Sequence[str], unlisted: Sequence[str]) -> None:
        """Ask for each, and keep or remove what comes of it; for a project before its updates.

        Raises `NotFetchedError` when the origin no longer answers.
        """
        self._listed = frozenset(listed)
        self._waiting = dict.fromkeys((*listed, *unlisted))
        try:
            while self._waiting:
                if self.is_time_up:
                    self._found.words.append("more is to come")
                    break
                self._asked_at = now()
                of_projects = self._ask([*self._waiting][:KEPT_AT_ONCE])
                self._ask([uri for uri in of_projects if uri in self._waiting])
                self._keep()
        finally:
            self._keep()
            if self._found.left_out:
                self._found.words.append(f"{self._found.left_out} could not be kept")

    def _ask(self, uris: Sequence[str]) -> list[str]:
        """Ask for these, some at a time. Returns which projects they are updates of."""
        for uri in uris:
            del self._waiting[uri]
        projects: dict[str, None] = {}
        with asking() as pool:
            for uri, answer in zip(uris, pool.map(self._answer, uris), strict=True):
                self._note(uri, answer)
                if isinstance(answer, RemoteUpdate):
                    projects[answer.project_uri] = None
                self.hold()
        return list(projects)

    def _answer(self, uri: str) -> reading.Told | fetching.NotFetchedError | None:
        """What its origin says that it is; None for what we cannot read.

        Raises `NotFetchedError` when the origin does not answer.
        """
        try:
            document = fetching.document(self._node, uri)
            return reading.read(document) or reading.of_plugin(self._node.hooks, document)
        except fetching.NotFetchedError as error:
            if error.status in AWAY or error.permanent:
                return error
            raise

    def _note(self, uri: str, answer: reading.Told | fetching.NotFetchedError | None) -> None:
        if answer is None:
            self._found.left_out += 1
        elif not isinstance(answer, fetching.NotFetchedError):
            self._told.append(answer)
        elif answer.status in AWAY:
            self._away[uri] = answer.status or 0
        else:
            self._found.left_out += 1

    def _keep(self) -> None:
        """Write what was answered, and how far we are."""
        if not self._told and not self._away:
            return
        told, away, self._told, self._away = self._told, self._away, [], {}
        found = self._found
        with self._node.work(by=self._subject.actor_uri) as work:
            actors.take_turns(work.session, [self._subject.actor_uri])
            council = work.session.get_one(Council, self._subject.council_id)
            left_out = reading.keep(work, council, told, self._asked_at)
            for uri, status in away.items():
                if reading.gone(work, council, uri, deleted=status == GONE):
                    found.removed += 1
                elif uri in self._listed:
                    found.left_out += 1
            found.fetched += len(told) - len(left_out)
            found.left_out += len(left_out)
            row = work.session.get_one(Comparison, self._subject.row_id)
            row.different, row.fetched, row.removed = (
                found.different,
                found.fetched,
                found.removed,
            )
            row.leased_until = self._until()
        self._held = time.monotonic()

    def hold(self) -> None:
        """It takes long: nobody else shall begin with it."""
        if time.monotonic() - self._held < self._node.settings.lease_seconds / 3:
            return
        with self._node.work(by=Comparison.JOB) as work:
            work.session.get_one(Comparison, self._subject.row_id).leased_until = self._until()
        self._held = time.monotonic()

    def _until(self) -> datetime:
        return now() + timedelta(seconds=self._node.settings.lease_seconds)
