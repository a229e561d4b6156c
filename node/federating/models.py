"""Rows of the federation.

Rows with a state are the queues; `STATES` of each says how a row may move.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from node.db import Base, now

Uri = String(2000)


class Queued:
    """What every row of a queue has. `WAITING` is the state in which the job `JOB` takes it up."""

    JOB: ClassVar[str]
    WAITING: ClassVar[str]

    id: Mapped[int] = mapped_column(primary_key=True)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=now)
    leased_until: Mapped[datetime | None]

    @declared_attr
    def state(cls) -> Mapped[str]:  # noqa: N805 -- SQLAlchemy calls it with the class
        return mapped_column(String(20), default=cls.WAITING)


class Actor(Base):
    """Somebody who acts: the node, a council, and every remote actor we know.

    `uri` is its ActivityPub id.
    """

    __tablename__ = "actor"

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(Uri, unique=True)
    kind: Mapped[str] = mapped_column(String(40))
    host: Mapped[str] = mapped_column(String(300), index=True)
    username: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(300))
    about: Mapped[str] = mapped_column(Text, default="")
    url: Mapped[str] = mapped_column(Uri, default="")
    inbox: Mapped[str] = mapped_column(Uri)
    shared_inbox: Mapped[str | None] = mapped_column(Uri)
    outbox: Mapped[str | None] = mapped_column(Uri)
    followers: Mapped[str | None] = mapped_column(Uri)
    projects: Mapped[str | None] = mapped_column(Uri)
    is_local: Mapped[bool] = mapped_column(default=False, index=True)
    fetched_at: Mapped[datetime] = mapped_column(default=now)
    keys: Mapped[list["ActorKey"]] = relationship(
        back_populates="actor", cascade="all, delete-orphan"
    )

    @property
    def address(self) -> str:
        """`@username@host`, as people type it; the host alone for an actor without a name there."""
        return f"@{self.username}@{self.host}" if self.username else self.host


class ActorKey(Base):
    """A public key of an actor; of a local actor the private one too. `key_id` is its URI."""

    __tablename__ = "actor_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(Uri, unique=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("actor.id", ondelete="CASCADE"), index=True)
    public_pem: Mapped[str] = mapped_column(Text)
    private_pem: Mapped[str | None] = mapped_column(Text)
    actor: Mapped[Actor] = relationship(back_populates="keys")


class Follow(Base):
    """One actor follows another. `uri` is the id of the newest Follow activity."""

    __tablename__ = "follow"
    __table_args__ = (UniqueConstraint("follower_id", "followed_id"),)

    STATES = {  # noqa: RUF012 -- a constant table
        "requested": {"accepted", "rejected"},
        "accepted": {"rejected"},
        "rejected": {"requested", "accepted"},
    }

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(Uri, unique=True)
    follower_id: Mapped[int] = mapped_column(ForeignKey("actor.id", ondelete="CASCADE"))
    followed_id: Mapped[int] = mapped_column(ForeignKey("actor.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(String(20), default="requested")
    created_at: Mapped[datetime] = mapped_column(default=now)
    answered_at: Mapped[datetime | None]
    follower: Mapped[Actor] = relationship(foreign_keys=follower_id)
    followed: Mapped[Actor] = relationship(foreign_keys=followed_id)


class OutboxActivity(Base):
    """An activity of ours.

    `body` is the exact JSON text that is sent, so that every attempt sends the same.
    """

    __tablename__ = "outbox_activity"

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(Uri, unique=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("actor.id", ondelete="CASCADE"))
    type: Mapped[str] = mapped_column(String(40))
    object_uri: Mapped[str] = mapped_column(Uri, index=True)
    body: Mapped[str] = mapped_column(Text)
    is_public: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(default=now)
    actor: Mapped[Actor] = relationship()

    __table_args__ = (Index(None, "actor_id", "is_public", "id"),)


class Delivery(Queued, Base):
    """One activity on its way to one inbox.

    The row is the queue: a worker leases it, sends, and records the answer.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("activity_id", "inbox"),
        Index(None, "state", "due_at"),
        Index(None, "inbox", "object_uri", "state"),
    )

    JOB, WAITING = "deliver", "pending"
    STATES = {  # noqa: RUF012 -- a constant table
        "pending": {"delivered", "failed"},
        "failed": {"pending"},
        "delivered": set(),
    }

    activity_id: Mapped[int] = mapped_column(ForeignKey("outbox_activity.id", ondelete="CASCADE"))
    inbox: Mapped[str] = mapped_column(Uri)
    host: Mapped[str] = mapped_column(String(300), index=True)
    object_uri: Mapped[str] = mapped_column(Uri)
    trying_since: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]
    activity: Mapped[OutboxActivity] = relationship()
    tries: Mapped[list["DeliveryAttempt"]] = relationship(
        order_by="DeliveryAttempt.id", cascade="all, delete-orphan"
    )


class DeliveryAttempt(Base):
    """One try to deliver: when, what was answered (a status, or an error where nobody answered),
    how long it took.
    """

    __tablename__ = "delivery_attempt"

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[int] = mapped_column(
        ForeignKey("delivery.id", ondelete="CASCADE"), index=True
    )
    at: Mapped[datetime] = mapped_column(default=now)
    status: Mapped[int | None]
    answer: Mapped[str] = mapped_column(String(500), default="")
    milliseconds: Mapped[int]


class InboxItem(Queued, Base):
    """An accepted activity of somebody else.

    `uri` is its id, so that one sent twice is stored once.
    """

    __tablename__ = "inbox_item"
    __table_args__ = (Index(None, "state", "needs_fetch", "due_at"),)

    JOB, WAITING = "inbox", "new"
    STATES = {  # noqa: RUF012 -- a constant table
        "new": {"done", "ignored", "failed"},
        "failed": {"new"},
        "done": set(),
        "ignored": set(),
    }

    uri: Mapped[str] = mapped_column(Uri, unique=True)
    host: Mapped[str] = mapped_column(String(300))
    actor_uri: Mapped[str] = mapped_column(Uri)
    type: Mapped[str] = mapped_column(String(40))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    needs_fetch: Mapped[bool]
    received_at: Mapped[datetime] = mapped_column(default=now)
    outcome: Mapped[str] = mapped_column(String(500), default="")


class Backfill(Queued, Base):
    """Reading everything that a council has, page by page.

    `next_page` is where to go on after a crash.
    """

    __tablename__ = "backfill"

    JOB, WAITING = "backfill", "running"
    STATES = {  # noqa: RUF012 -- a constant table
        "running": {"done", "failed"},
        "done": {"running"},
        "failed": {"running"},
    }

    actor_id: Mapped[int] = mapped_column(ForeignKey("actor.id", ondelete="CASCADE"), unique=True)
    next_page: Mapped[str] = mapped_column(Uri)
    pages: Mapped[int] = mapped_column(default=0)
    read: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    outcome: Mapped[str] = mapped_column(String(500), default="")
    actor: Mapped[Actor] = relationship()


class Peer(Base):
    """A host that the operator spoke about, or that we have heard from.

    `state`: allowed, blocked or unknown.
    """

    __tablename__ = "peer"

    id: Mapped[int] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(String(300), unique=True)
    state: Mapped[str] = mapped_column(String(20), default="unknown")
    heard_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    last_answer: Mapped[str] = mapped_column(String(500), default="")


class RefusalCount(Base):
    """How often a host was refused for a reason, and when last.

    The host is what the message claimed, unproven.
    """

    __tablename__ = "refusal_count"
    __table_args__ = (UniqueConstraint("host", "reason"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(String(300))
    reason: Mapped[str] = mapped_column(String(40))
    detail: Mapped[str] = mapped_column(String(500), default="")
    count: Mapped[int] = mapped_column(default=1)
    first_at: Mapped[datetime] = mapped_column(default=now)
    last_at: Mapped[datetime] = mapped_column(default=now, index=True)


class Deleted(Base):
    """What a remote actor said it deleted: its Create that comes later is not shown."""

    __tablename__ = "deleted"

    uri: Mapped[str] = mapped_column(Uri, primary_key=True)
    actor_id: Mapped[int] = mapped_column(
        ForeignKey("actor.id", ondelete="CASCADE"), primary_key=True
    )
    at: Mapped[datetime] = mapped_column(default=now, index=True)
