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
from node import change_tracking
from node.audit import AuditEntry
from node.caches_and_limits import (
    CounterBuffer,
    LimitExceededError,
    RateLimiter,
    SingleFlightCache,
    TTLCache,
)
from node.db import UNAVAILABLE_ERRORS, read_only, read_write
from node.group_commit import GroupCommit
from node.hooks import Hooks
from node.jobs import Jobs
from node.outbound import Outbound
from node.settings import Settings

Document = Mapping[str, Any]
# Audit entries are never deleted; the actors of another server can cause so many in a day, and all
# together.
AUDIT_QUOTA_PER_SERVER, AUDIT_QUOTA_TOTAL = 1_000, 20_000
# Of what was read to find the keys of strangers, so much is remembered, for a minute.
MAX_KEY_DOCUMENTS, MAX_KEY_DOCUMENT_BYTES = 3_000, 8_000_000
# The columns on which each cache depends. Keys and allowed hosts are cached only if they have rows,
# so new keys do not matter.
KEY_CACHE_SOURCES = {
    "actor_key": {"actor_id", "key_id", "public_pem", "asserts", change_tracking.REMOVED},
    "actor": {"uri", change_tracking.REMOVED},
}
ALLOWED_HOST_CACHE_SOURCES = {
    "peer": {"host", "state", change_tracking.ADDED, change_tracking.REMOVED}
}
BLOCKED_ACTOR_CACHE_SOURCES = {
    "actor": {"uri", "is_blocked", "kind", change_tracking.ADDED, change_tracking.REMOVED}
}
DOCUMENT_CACHE_SOURCES = dict.fromkeys(("actor", "actor_key", "council", "project"))


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
        if "://" in self.by and not self._is_within_audit_quota():
            return
        request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))
        self.session.add(
            AuditEntry(
                by=self.by, action=action, subject=subject, details=details, request_id=request_id
            )
        )

    def _is_within_audit_quota(self) -> bool:
        try:
            self.node.audit_limiter.hit(
                urlsplit(self.by).netloc, AUDIT_QUOTA_PER_SERVER, AUDIT_QUOTA_TOTAL
            )
        except LimitExceededError:
            return False
        return True

    def pause(self) -> None:
        """End the transaction before something slow, such as a look-up over the network; nothing
        may be half-done.
        """
        if self.session.new or self.session.dirty or self.session.deleted:
            raise RuntimeError("a unit of work with changes cannot pause")
        self.session.rollback()

    def nested(self, session: Session) -> "UnitOfWork":
        """The same on another session, which is part of this one's transaction."""
        return replace(self, session=session, _wake=[])

    def merge(self, part: "UnitOfWork") -> None:
        """A part has come to a good end: whom it wakes is woken once all of it is committed."""
        for job, delay in part._wake:
            self.wake(job, delay)
        self.session.info.setdefault("wake", set()).update(part.session.info.pop("wake", ()))

    def wake(self, job: str, delay: timedelta = timedelta()) -> None:
        """Have `job` run after the commit."""
        if (job, delay) not in self._wake:
            self._wake.append((job, delay))

    def commit(self) -> None:
        for finish in self.node.before_commit:
            finish(self)
        changed = change_tracking.take_changes(self.session)
        self.session.commit()
        self.node.invalidate_caches(changed)
        for job, delay in self._wake:
            self.node.jobs.wake(job, delay)
        self._wake.clear()
        # What was woken where there was nothing but the session.
        for job in self.session.info.pop("wake", ()):
            self.node.jobs.wake(job)


@dataclass(frozen=True)
class ReceivedActivity:
    """An accepted activity, ready to be acted on.

    `document` is the object as its own origin gives it: the embedded one where its sender may speak
    for it, else the one fetched from where it lives; None when the activity names an object without
    one. `is_hearsay`: somebody else passed it on, and nobody proved it. It is a Delete of what its
    origin says is not there: what we hold goes, but of what may yet be made nothing is noted.
    """

    activity: Activity
    document: Document | None
    is_unverified: bool = False


class NotHandledError(Exception):
    """A handler's word that what was received is no concern of its room; the message says why.

    A handler that says so has written nothing: the next one is asked.
    """


Handler = Callable[[UnitOfWork, ReceivedActivity], None]
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

    def referenced_uris(self, settings: Settings, activity: Activity) -> frozenset[str] | None:
        """The ids to which the activity refers. If this server has none of them, the activity is
        irrelevant. None if it may be relevant for another reason.
        """

    def find_known(self, session: Session, uris: Collection[str]) -> set[str]:
        """Those of `uris` that this server has."""


# What a room does before some messages are acted on in one transaction: asks the database at once
# for what acting on each would ask for (`node.change_tracking.CachedQuery`).
Prefetcher = Callable[[UnitOfWork, Sequence[ReceivedActivity]], None]
# What a room does with what it keeps about a project that fewer may read: the project, the audience
# that it is still for, if any, the row id after which to go on, and how many rows to withdraw. It
# hides all of them when it begins, after row 0. Returns the last row id, or 0 if there is no more.
AudienceNarrowedListener = Callable[[UnitOfWork, Any, Any, int, int], int]
# What a room does when the account of another server is deleted: removes up to so many of the rows
# that hold what its actor said, and returns whether there are more.
ActorDeletedListener = Callable[[UnitOfWork, Any, int], bool]
# What a room does when a published project of ours was published, changed or deleted: what it is
# called, the project, and who could see it before.
ProjectEventListener = Callable[[UnitOfWork, str, Any, Any], None]
# What a room does at the end of a unit of work, before it is committed.
BeforeCommitHook = Callable[[UnitOfWork], None]
# What a room does with what it gave a person to act with, when all of that ends.
CredentialRevoker = Callable[[UnitOfWork, Any], None]
# Tells a person of a change to their account: whom, which change, and what is to be said of it.
AccountNotifier = Callable[[UnitOfWork, Any, str, Mapping[str, str]], None]
# What a room does with an update of ours that was just written or deleted, as its state says.
UpdateEventListener = Callable[[UnitOfWork, Any], None]


@dataclass
class Quota:
    """How many more messages of a host may wait; the inbox counts it down."""

    remaining: int


@dataclass(frozen=True)
class Node:
    """The parts of one node. `handlers` are those of its rooms, in the order they are asked;
    `read_page` takes what is read page by page; `prefetchers`, `withdrawals`, `removals`,
    `announcers`, `hearers`, `credentials` and `account_notifiers` are those of its rooms; `kinds`
    are the kinds of news (`node.events.kinds`), by name.
    """

    settings: Settings
    engine: Engine
    outbound: Outbound
    jobs: Jobs
    hooks: Hooks
    handlers: Sequence[Handlers]
    read_page: PageReader
    notification_kinds: Mapping[str, Any]
    relevance: Relevance
    on_audience_narrowed: Mapping[str, AudienceNarrowedListener]
    prefetchers: Sequence[Prefetcher] = ()
    on_actor_deleted: Sequence[ActorDeletedListener] = ()
    on_update_event: Sequence[UpdateEventListener] = ()
    on_project_event: Sequence[ProjectEventListener] = ()
    before_commit: Sequence[BeforeCommitHook] = ()
    credential_revokers: Sequence[CredentialRevoker] = ()
    account_notifiers: Sequence[AccountNotifier] = ()
    key_document_cache: SingleFlightCache[Any] = field(
        default_factory=lambda: SingleFlightCache(
            max_entries=MAX_KEY_DOCUMENTS, max_bytes=MAX_KEY_DOCUMENT_BYTES
        )
    )
    key_fetch_limiter: RateLimiter = field(default_factory=RateLimiter)
    third_party_fetch_limiter: RateLimiter = field(default_factory=RateLimiter)
    large_message_limiter: RateLimiter = field(default_factory=RateLimiter)
    inbox_history_cache: TTLCache[datetime] = field(default_factory=TTLCache)
    public_key_cache: TTLCache[PublicKey] = field(default_factory=TTLCache)
    allowed_host_cache: TTLCache[bool] = field(default_factory=TTLCache)
    peer_seen_cache: SingleFlightCache[None] = field(default_factory=SingleFlightCache)
    blocked_actor_cache: TTLCache[set[str]] = field(default_factory=TTLCache)
    document_cache: TTLCache[bytes] = field(default_factory=TTLCache)
    quotas: TTLCache["Quota"] = field(default_factory=TTLCache)
    recent_failures: TTLCache[bool] = field(default_factory=lambda: TTLCache(seconds=10.0))
    conversation_polls: SingleFlightCache[bool] = field(
        default_factory=lambda: SingleFlightCache(seconds=21_600.0)
    )
    audit_limiter: RateLimiter = field(default_factory=lambda: RateLimiter(seconds=86_400.0))
    refusal_buffer: CounterBuffer = field(default_factory=CounterBuffer)
    inbox_commits: GroupCommit[Any, Any] = field(
        default_factory=lambda: GroupCommit(UNAVAILABLE_ERRORS)
    )

    def invalidate_caches(self, changed: change_tracking.Changes | None = None) -> None:
        """Clear the caches that depend on the columns that were changed; None clears all."""
        for remembered, sources in (
            (self.public_key_cache, KEY_CACHE_SOURCES),
            (self.allowed_host_cache, ALLOWED_HOST_CACHE_SOURCES),
            (self.blocked_actor_cache, BLOCKED_ACTOR_CACHE_SOURCES),
            (self.document_cache, DOCUMENT_CACHE_SOURCES),
        ):
            if changed is None or change_tracking.affects(changed, sources):
                remembered.clear()

    @contextmanager
    def work(self, by: str) -> Iterator[UnitOfWork]:
        """A unit of work of its own: committed at the end, undone by any exception."""
        with read_write(), Session(self.engine) as session:
            work = UnitOfWork(self, session, by)
            yield work
            work.commit()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads, and waits for nobody."""
        with read_only(), Session(self.engine) as session:
            yield session
