"""What one running node is made of, and the unit of work in which everything that writes happens.

`node.app` puts a `Node` together; views, jobs and commands are handed it. Services know only their
`UnitOfWork`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from federation.signatures import PublicKey
from federation.vocabulary import Activity
from node import changes
from node.audit import AuditEntry
from node.batching import Batches
from node.db import UNAVAILABLE, may_write, only_reading
from node.hooks import Hooks
from node.jobs import Jobs
from node.outbound import Outbound
from node.recent import Allowance, BusyError, Recent, Remembered, Tally
from node.settings import Settings

Document = Mapping[str, Any]
# Audit entries are never deleted; the actors of another server can cause so many in a day, and all
# together.
MOST_DEEDS, MOST_DEEDS_OF_ALL = 1_000, 20_000
# Of what was read to find the keys of strangers, so much is remembered, for a minute.
MOST_KEY_DOCUMENTS, KEY_DOCUMENT_BYTES = 3_000, 8_000_000
# The columns on which each cache depends. Keys and allowed hosts are cached only if they have rows,
# so new keys do not matter.
SOURCES_OF_KEYS = {
    "actor_key": {"actor_id", "key_id", "public_pem", "asserts", changes.REMOVED},
    "actor": {"uri", changes.REMOVED},
}
SOURCES_OF_HOSTS = {"peer": {"host", "state", changes.ADDED, changes.REMOVED}}
SOURCES_OF_UNHEARD = {"actor": {"uri", "is_blocked", "kind", changes.ADDED, changes.REMOVED}}
SOURCES_OF_DOCUMENTS = dict.fromkeys(("actor", "actor_key", "council", "project"))


@dataclass
class UnitOfWork:
    """One transaction: rows, their audit entries, and whom to wake once all of it is committed.

    `by` names the person or peer on whose behalf it happens.
    """

    node: "Node"
    session: Session
    by: str
    _wake: list[tuple[str, timedelta]] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return self.node.settings

    def audit(self, action: str, subject: str, **details: Any) -> None:
        """Record that `by` did `action` to `subject`.

        What others can make us note over and over is noted so often a day for each server.
        """
        if "://" in self.by and not self._is_noted():
            return
        request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))
        self.session.add(
            AuditEntry(
                by=self.by, action=action, subject=subject, details=details, request_id=request_id
            )
        )

    def _is_noted(self) -> bool:
        try:
            self.node.deeds.spend(urlsplit(self.by).netloc, MOST_DEEDS, MOST_DEEDS_OF_ALL)
        except BusyError:
            return False
        return True

    def pause(self) -> None:
        """End the transaction before something slow, such as a look-up over the network; nothing
        may be half-done.
        """
        if self.session.new or self.session.dirty or self.session.deleted:
            raise RuntimeError("a unit of work with changes cannot pause")
        self.session.rollback()

    def part(self, session: Session) -> "UnitOfWork":
        """The same on another session, which is part of this one's transaction."""
        return replace(self, session=session, _wake=[])

    def join(self, part: "UnitOfWork") -> None:
        """A part has come to a good end: whom it wakes is woken once all of it is committed."""
        for job, delay in part._wake:
            self.wake(job, delay)
        self.session.info.setdefault("wake", set()).update(part.session.info.pop("wake", ()))

    def wake(self, job: str, delay: timedelta = timedelta()) -> None:
        """Have `job` run after the commit."""
        if (job, delay) not in self._wake:
            self._wake.append((job, delay))

    def commit(self) -> None:
        for finish in self.node.finishers:
            finish(self)
        changed = changes.take(self.session)
        self.session.commit()
        self.node.forget(changed)
        for job, delay in self._wake:
            self.node.jobs.wake(job, delay)
        self._wake.clear()
        # What was woken where there was nothing but the session.
        for job in self.session.info.pop("wake", ()):
            self.node.jobs.wake(job)


@dataclass(frozen=True)
class Received:
    """An accepted activity, ready to be acted on.

    `document` is the object as its own origin gives it: the embedded one where its sender may speak
    for it, else the one fetched from where it lives; None when the activity names an object without
    one. `is_hearsay`: somebody else passed it on, and nobody proved it. It is a Delete of what its
    origin says is not there: what we hold goes, but of what may yet be made nothing is noted.
    """

    activity: Activity
    document: Document | None
    is_hearsay: bool = False


class NotForUsError(Exception):
    """A handler's word that what was received is no concern of its room; the message says why.

    A handler that says so has written nothing: the next one is asked.
    """


Handler = Callable[[UnitOfWork, Received], None]
# What a room receives: (activity type, object type or "" for any) to what acts on it.
Handlers = Mapping[tuple[str, str], Handler]


class PageReader(Protocol):
    """Reads what stands on a page of a council's collection, without a transaction; what it returns
    keeps it, in one.
    """

    def __call__(
        self, actor_uri: str, items: Iterable[Any], asked_at: datetime
    ) -> Callable[[UnitOfWork], None]: ...


class Relevance(Protocol):
    """Decides whether a message is relevant to this server (`node.conversations.relevance`)."""

    def subjects(self, settings: Settings, activity: Activity) -> frozenset[str] | None:
        """The ids to which the activity refers. If this server has none of them, the activity is
        irrelevant. None if it may be relevant for another reason.
        """

    def known(self, session: Session, uris: Collection[str]) -> set[str]:
        """Those of `uris` that this server has."""


# What a room does before some messages are acted on in one transaction: asks the database at once
# for what acting on each would ask for (`node.changes.Cached`).
Prefetcher = Callable[[UnitOfWork, Sequence[Received]], None]
# What a room does with what it keeps about a project that fewer may read: the project, the audience
# that it is still for, if any, the row id after which to go on, and how many rows to withdraw. It
# hides all of them when it begins, after row 0. Returns the last row id, or 0 if there is no more.
Withdrawal = Callable[[UnitOfWork, Any, Any, int, int], int]
# What a room does when the account of another server is deleted: removes up to so many of the rows
# that hold what its actor said, and returns whether there are more.
Removal = Callable[[UnitOfWork, Any, int], bool]
# What a room does when a published project of ours was published, changed or deleted: what it is
# called, the project, and who could see it before.
Hearer = Callable[[UnitOfWork, str, Any, Any], None]
# What a room does at the end of a unit of work, before it is committed.
Finisher = Callable[[UnitOfWork], None]
# What a room does with what it gave a person to act with, when all of that ends.
CredentialEnder = Callable[[UnitOfWork, Any], None]
# Tells a person of a change to their account: whom, which change, and what is to be said of it.
AccountNotifier = Callable[[UnitOfWork, Any, str, Mapping[str, str]], None]
# What a room does with an update of ours that was just written or deleted, as its state says.
Announcer = Callable[[UnitOfWork, Any], None]


@dataclass
class Room:
    """How many more messages of a host may wait; the inbox counts it down."""

    left: int


@dataclass(frozen=True)
class Node:
    """The parts of one node. `handlers` are those of its rooms, in the order they are asked;
    `read_page` takes what is read page by page; `prefetchers`, `withdrawals`, `removals`,
    `announcers`, `hearers`, `credentials` and `account_notifiers` are those of its rooms; `kinds`
    are the kinds of news (`node.news.kinds`), by name.
    """

    settings: Settings
    engine: Engine
    outbound: Outbound
    jobs: Jobs
    hooks: Hooks
    handlers: Sequence[Handlers]
    read_page: PageReader
    kinds: Mapping[str, Any]
    relevance: Relevance
    withdrawals: Mapping[str, Withdrawal]
    prefetchers: Sequence[Prefetcher] = ()
    removals: Sequence[Removal] = ()
    announcers: Sequence[Announcer] = ()
    hearers: Sequence[Hearer] = ()
    finishers: Sequence[Finisher] = ()
    credentials: Sequence[CredentialEnder] = ()
    account_notifiers: Sequence[AccountNotifier] = ()
    key_documents: Recent[Any] = field(
        default_factory=lambda: Recent(limit=MOST_KEY_DOCUMENTS, most_bytes=KEY_DOCUMENT_BYTES)
    )
    key_fetches: Allowance = field(default_factory=Allowance)
    errands: Allowance = field(default_factory=Allowance)
    large_messages: Allowance = field(default_factory=Allowance)
    remembers_since: Remembered[datetime] = field(default_factory=Remembered)
    known_keys: Remembered[PublicKey] = field(default_factory=Remembered)
    allowed_hosts: Remembered[bool] = field(default_factory=Remembered)
    heard: Recent[None] = field(default_factory=Recent)
    unheard: Remembered[set[str]] = field(default_factory=Remembered)
    documents: Remembered[bytes] = field(default_factory=Remembered)
    rooms: Remembered["Room"] = field(default_factory=Remembered)
    failed_lately: Remembered[bool] = field(default_factory=lambda: Remembered(seconds=10.0))
    looked: Recent[bool] = field(default_factory=lambda: Recent(seconds=21_600.0))
    deeds: Allowance = field(default_factory=lambda: Allowance(seconds=86_400.0))
    refused: Tally = field(default_factory=Tally)
    arriving: Batches[Any, Any] = field(default_factory=lambda: Batches(UNAVAILABLE))

    def forget(self, changed: changes.Changes | None = None) -> None:
        """Clear the caches that depend on the columns that were changed; None clears all."""
        for remembered, sources in (
            (self.known_keys, SOURCES_OF_KEYS),
            (self.allowed_hosts, SOURCES_OF_HOSTS),
            (self.unheard, SOURCES_OF_UNHEARD),
            (self.documents, SOURCES_OF_DOCUMENTS),
        ):
            if changed is None or changes.concern(changed, sources):
                remembered.forget()

    @contextmanager
    def work(self, by: str) -> Iterator[UnitOfWork]:
        """A unit of work of its own: committed at the end, undone by any exception."""
        with may_write(), Session(self.engine) as session:
            work = UnitOfWork(self, session, by)
            yield work
            work.commit()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads, and waits for nobody."""
        with only_reading(), Session(self.engine) as session:
            yield session
