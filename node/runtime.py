"""The parts of one running node, and the unit of work in which everything is written.

`node.app` creates the `Node` for views, jobs and commands. Services receive a `UnitOfWork`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import structlog
from sqlalchemy import BindParameter, CompoundSelect, Engine, bindparam, literal, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from federation.signatures import PublicKey
from federation.vocabulary import Activity
from node.audit import AuditEntry
from node.caches_and_limits import (
    CounterBuffer,
    LimitExceededError,
    RateLimiter,
    SingleFlightCache,
    TTLCache,
)
from node.database import change_tracking
from node.database.engine import UNAVAILABLE_ERRORS, read_only, read_write
from node.database.group_commit import GroupCommit
from node.events import Event, Listeners, TransactionEnding
from node.jobs import Jobs
from node.outbound import OutboundClient
from node.plugin_api.hooks import Hooks
from node.principal import Principal, PrincipalKind
from node.settings import Settings

Document = Mapping[str, Any]
# Audit entries per day caused by the actors of one remote server, and of all of them: entries are
# never deleted.
AUDIT_QUOTA_PER_SERVER, AUDIT_QUOTA_TOTAL = 1_000, 20_000
# Fetched documents that hold the keys of unknown actors, cached for a minute.
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
    """One transaction, with the jobs to wake after its commit.

    `by` is on whose behalf it happens.
    """

    node: "Node"
    session: Session
    by: Principal
    _jobs_to_wake: list[tuple[str, timedelta]] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return self.node.settings

    def audit(self, action: str, subject: str, **details: Any) -> None:
        """Record in the audit log that `by` did `action` to `subject`. Actions of remote actors are
        dropped beyond the audit quota.
        """
        by = self.by
        if by.kind is PrincipalKind.actor and not self._is_within_audit_quota():
            return
        request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))
        self.session.add(
            AuditEntry(
                by_kind=by.kind,
                by_id=by.id,
                by=by.name,
                via=by.via,
                action=action,
                subject=subject,
                details=details,
                request_id=request_id,
            )
        )

    def _is_within_audit_quota(self) -> bool:
        try:
            self.node.audit_limiter.hit(self.by.host, AUDIT_QUOTA_PER_SERVER, AUDIT_QUOTA_TOTAL)
        except LimitExceededError:
            return False
        return True

    def pause(self) -> None:
        """End the transaction before something slow, such as a request to another server. Raises
        `RuntimeError` if there are unsaved changes.
        """
        if self.session.new or self.session.dirty or self.session.deleted:
            raise RuntimeError("a unit of work with changes cannot pause")
        self.session.rollback()

    def nested_for_plugin(self, session: Session) -> "UnitOfWork":
        """A plugin's unit of work on `session`, which is on a savepoint of this transaction."""
        return replace(self, session=session, by=self.by.through_plugin(), _jobs_to_wake=[])

    def merge(self, part: "UnitOfWork") -> None:
        """Take over the jobs that a successful nested unit of work wants to wake."""
        for job, delay in part._jobs_to_wake:
            self.wake(job, delay)
        self.session.info.setdefault("wake", set()).update(part.session.info.pop("wake", ()))

    def wake(self, job: str, delay: timedelta = timedelta()) -> None:
        """Have `job` run after the commit."""
        if (job, delay) not in self._jobs_to_wake:
            self._jobs_to_wake.append((job, delay))

    def emit(self, event: Event) -> None:
        """Call the handlers of an event that happened in this transaction."""
        for handle in self.node.listeners.get(type(event), ()):
            handle(self, event)

    def commit(self) -> None:
        self.emit(TransactionEnding())
        changes = change_tracking.pop_changes(self.session)
        self.session.commit()
        self.node.invalidate_caches(changes)
        for job, delay in self._jobs_to_wake:
            self.node.jobs.wake(job, delay)
        self._jobs_to_wake.clear()
        # Set by mapper events, which have no unit of work.
        for job in self.session.info.pop("wake", ()):
            self.node.jobs.wake(job)


@dataclass(frozen=True)
class ReceivedActivity:
    """An accepted activity, ready to be handled.

    `document` is the object as its origin states it: the embedded object if the sender shares its
    origin, otherwise the one fetched from there; None if the activity only names an object.
    `is_unverified`: a forwarded Delete without proof, of an object that its origin says does not
    exist. Our copy is deleted, but no tombstone is stored, since the object may yet be created.
    """

    activity: Activity
    document: Document | None
    is_unverified: bool = False


class NotHandledError(Exception):
    """Raised by a handler, before it writes anything, if the activity is not acted upon. The
    message says why.
    """


Handler = Callable[[UnitOfWork, ReceivedActivity], None]


class Stored(NamedTuple):
    """A column with the ids of objects or activities that a room stores. `kind` is the kind of all
    of them, or a column with the kind of each.
    """

    uri: InstrumentedAttribute[Any]
    kind: str | InstrumentedAttribute[Any]


@dataclass(frozen=True, eq=False)
class Handlers:
    """What a room, or all of them together, do with received activities.

    `by_kind`: the handlers by the activity's type and the kind of the thing that it concerns
    (`federation.vocabulary.activity_types.Concerns`), where "" is any other kind. The kind of an
    object is that of `kind_of`; the kind of an activity is its type, or if it is ours and has one,
    its `owner`. `stores`: where the things are found to which an activity may refer by their id.
    """

    by_kind: Mapping[tuple[str, str], Handler]
    stores: Sequence[Stored] = ()

    @cached_property
    def select_kinds(self) -> CompoundSelect[str]:
        """The kinds of the stored things whose id is `uri`."""
        uri: BindParameter[str] = bindparam("uri")
        return union_all(
            *(
                select(literal(kind) if isinstance(kind, str) else kind).where(column == uri)
                for column, kind in self.stores
            )
        )


def merge_handlers(rooms: Iterable[Handlers]) -> Handlers:
    """The handlers of all rooms, whose order does not matter. Raises `ValueError` if two rooms
    handle the same.
    """
    by_kind: dict[tuple[str, str], Handler] = {}
    stores: list[Stored] = []
    for handlers in rooms:
        if taken := by_kind.keys() & handlers.by_kind.keys():
            raise ValueError(f"two rooms handle {sorted(taken)}")
        by_kind.update(handlers.by_kind)
        stores += handlers.stores
    return Handlers(by_kind, tuple(stores))


class PageParser(Protocol):
    """Validates the items on a page of a council's collection, outside a transaction. Returns a
    function that stores them in one.
    """

    def __call__(
        self, actor_uri: str, items: Iterable[Any], requested_at: datetime
    ) -> Callable[[UnitOfWork], None]: ...


class Relevance(Protocol):
    """Decides whether a message is relevant to this server (`node.conversations.relevance`)."""

    def referenced_uris(self, settings: Settings, activity: Activity) -> frozenset[str] | None:
        """The ids to which the activity refers. If this server has none of them, the activity is
        irrelevant. None if it may be relevant for another reason.
        """

    def find_known(self, session: Session, uris: Collection[str]) -> set[str]:
        """Those of `uris` that this server has."""


# `(work, received)`: called before a batch of activities is handled in one transaction, to query
# the database once for what each handler would query (`node.database.change_tracking.CachedQuery`).
Prefetcher = Callable[[UnitOfWork, Sequence[ReceivedActivity]], None]
# `(language)`: a context in which templates and translations can be used outside a request.
Rendering = Callable[[str], AbstractContextManager[None]]


@dataclass
class Quota:
    """How many more messages of one host the inbox queue accepts; the inbox counts it down."""

    remaining: int


@dataclass(frozen=True)
class Node:
    """The parts of one node. `notification_kinds` are the kinds of all rooms by name. Caches,
    limiters and buffers are for this process only.
    """

    settings: Settings
    engine: Engine
    outbound: OutboundClient
    jobs: Jobs
    hooks: Hooks
    handlers: Handlers
    parse_page: PageParser
    notification_kinds: Mapping[str, Any]
    relevance: Relevance
    listeners: Listeners
    rendering: Rendering
    prefetchers: Sequence[Prefetcher] = ()
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
    host_quotas: TTLCache["Quota"] = field(default_factory=TTLCache)
    recent_failures: TTLCache[bool] = field(default_factory=lambda: TTLCache(seconds=10.0))
    conversation_polls: SingleFlightCache[bool] = field(
        default_factory=lambda: SingleFlightCache(seconds=21_600.0)
    )
    audit_limiter: RateLimiter = field(default_factory=lambda: RateLimiter(seconds=86_400.0))
    refusal_buffer: CounterBuffer = field(default_factory=CounterBuffer)
    inbox_commits: GroupCommit[Any, Any] = field(
        default_factory=lambda: GroupCommit(UNAVAILABLE_ERRORS)
    )

    def invalidate_caches(self, changes: change_tracking.Changes | None = None) -> None:
        """Clear the caches that depend on the changed columns; None clears all."""
        for cache, sources in (
            (self.public_key_cache, KEY_CACHE_SOURCES),
            (self.allowed_host_cache, ALLOWED_HOST_CACHE_SOURCES),
            (self.blocked_actor_cache, BLOCKED_ACTOR_CACHE_SOURCES),
            (self.document_cache, DOCUMENT_CACHE_SOURCES),
        ):
            if changes is None or change_tracking.affects(changes, sources):
                cache.clear()

    @contextmanager
    def work(self, by: Principal) -> Iterator[UnitOfWork]:
        """A unit of work in a session of its own: committed at the end of the block, rolled back by
        an exception.
        """
        with read_write(), Session(self.engine) as session:
            work = UnitOfWork(self, session, by)
            yield work
            work.commit()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A read-only session, which does not wait for writers."""
        with read_only(), Session(self.engine) as session:
            yield session
