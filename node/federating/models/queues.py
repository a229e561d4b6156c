"""The queues: outgoing deliveries, received messages, backfills, comparisons, actor deletions."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from federation.retry import RetryPolicy
from node.database.tables import Base, Uri, now
from node.federating.models.actors import Actor
from node.queue.mixins import QueueMixin


class OutboxActivity(Base):
    """An activity of a local actor.

    `body` is the exact JSON text, so that every attempt sends the same. `audience` is who may read
    it: public, peers, direct, or nobody once it was withdrawn. `owner` gets the answers: a room or
    a plugin; None if the activity's type says which. `result_uri`: the id of what came of it,
    which the answer named.
    """

    __tablename__ = "outbox_activity"

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(Uri, unique=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("actor.id", ondelete="CASCADE"))
    type: Mapped[str] = mapped_column(String(40))
    object_uri: Mapped[str] = mapped_column(Uri, index=True)
    body: Mapped[str] = mapped_column(Text)
    audience: Mapped[str] = mapped_column(String(10))
    owner: Mapped[str | None] = mapped_column(String(100))
    result_uri: Mapped[str | None] = mapped_column(Uri, index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    actor: Mapped[Actor] = relationship()

    __table_args__ = (Index(None, "actor_id", "audience", "id"),)


class Delivery(QueueMixin, Base):
    """The delivery of one activity to one inbox.

    A worker leases the row, sends the activity, and records the result.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("activity_id", "inbox"),
        Index(None, "state", "due_at"),
        Index(None, "inbox", "object_uri", "state"),
        Index(None, "state", "host", "due_at", "id"),
        Index(None, "object_uri", "inbox"),
        Index(None, "state", "finished_at"),
    )

    JOB, WAITING_STATE = "deliver", "pending"
    STATES = {  # noqa: RUF012 -- a constant table
        "pending": frozenset({"delivered", "failed"}),
        "failed": frozenset({"pending"}),
        "delivered": frozenset(),
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
    """One attempt to deliver: time, response (status, or an error if there was none), duration."""

    __tablename__ = "delivery_attempt"

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[int] = mapped_column(
        ForeignKey("delivery.id", ondelete="CASCADE"), index=True
    )
    at: Mapped[datetime] = mapped_column(default=now)
    status: Mapped[int | None]
    answer: Mapped[str] = mapped_column(String(500), default="")
    milliseconds: Mapped[int]


class InboxItem(QueueMixin, Base):
    """An accepted activity of a remote actor.

    `uri` is its id, so that duplicates are stored once. `forwarded_by`: the host that forwarded it,
    if that is not its actor's.
    """

    __tablename__ = "inbox_item"
    __table_args__ = (
        Index(None, "state", "needs_fetch", "due_at"),
        Index(None, "host", "state"),
        Index(None, "state", "finished_at"),
    )

    JOB, WAITING_STATE = "inbox", "new"
    STATES = {  # noqa: RUF012 -- a constant table
        "new": frozenset({"done", "ignored", "failed"}),
        "failed": frozenset({"new"}),
        # A Follow repeated under the same id is processed again.
        "done": frozenset({"new"}),
        "ignored": frozenset({"new"}),
    }

    uri: Mapped[str] = mapped_column(Uri, unique=True)
    host: Mapped[str] = mapped_column(String(300))
    forwarded_by: Mapped[str | None] = mapped_column(String(300))
    actor_uri: Mapped[str] = mapped_column(Uri)
    type: Mapped[str] = mapped_column(String(40))
    object_uri: Mapped[str | None] = mapped_column(Uri, index=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    needs_fetch: Mapped[bool]
    received_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(String(500), default="")


class Backfill(QueueMixin, Base):
    """The state of reading all documents of a council, page by page.

    `next_page`: where to continue after a crash. `size`: bytes of JSON read so far. `landmark`: an
    earlier page, by which a cycle of pages is detected.
    """

    __tablename__ = "backfill"

    JOB, WAITING_STATE = "backfill", "running"
    RETRY = RetryPolicy(timedelta(seconds=30), max_attempts=10)
    STATES = {  # noqa: RUF012 -- a constant table
        "running": frozenset({"done", "failed"}),
        "done": frozenset({"running"}),
        "failed": frozenset({"running"}),
    }

    actor_id: Mapped[int] = mapped_column(ForeignKey("actor.id", ondelete="CASCADE"), unique=True)
    next_page: Mapped[str] = mapped_column(Uri)
    pages: Mapped[int] = mapped_column(default=0)
    read: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    landmark: Mapped[str | None] = mapped_column(Uri)
    started_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(String(500), default="")
    actor: Mapped[Actor] = relationship()


class ActorDeletion(QueueMixin, Base):
    """A remote actor that was deleted (`node.federating.identity.actors.TOMBSTONE`), or may have
    been, so that its server is asked. `inbox`: the inbox that answered 410 Gone, if that is why.
    The row is deleted once the actor's content has been removed.
    """

    __tablename__ = "departure"

    JOB, WAITING_STATE, REASON_COLUMN = "departures", "waiting", ""
    # Also if the actor's server does not respond.
    RETRY = RetryPolicy(timedelta(minutes=15), max_attempts=8)
    STATES = {"waiting": frozenset()}  # noqa: RUF012 -- a constant table

    actor_id: Mapped[int] = mapped_column(ForeignKey("actor.id", ondelete="CASCADE"), unique=True)
    host: Mapped[str] = mapped_column(String(300))
    inbox: Mapped[str | None] = mapped_column(Uri)
    actor: Mapped[Actor] = relationship()


class Comparison(QueueMixin, Base):
    """Regular comparisons of our copy of a council's data with its own.

    `agreed_at`: when both were last equal. `different`: differences at the last comparison;
    `fetched` and `removed`: the repairs. `followers_url`: its list of the local actors that follow
    it (FEP-8fcf), while that is to be compared.
    """

    __tablename__ = "comparison"

    JOB, WAITING_STATE = "compare", "watching"
    # Also while the data differ.
    RETRY = RetryPolicy(timedelta(seconds=30), max_attempts=6)
    STATES = {  # noqa: RUF012 -- a constant table
        "watching": frozenset(),
    }

    actor_id: Mapped[int] = mapped_column(ForeignKey("actor.id", ondelete="CASCADE"), unique=True)
    followers_url: Mapped[str | None] = mapped_column(Uri)
    compared_at: Mapped[datetime | None]
    agreed_at: Mapped[datetime | None]
    different: Mapped[int] = mapped_column(default=0)
    fetched: Mapped[int] = mapped_column(default=0)
    removed: Mapped[int] = mapped_column(default=0)
    outcome: Mapped[str] = mapped_column(String(500), default="")
    actor: Mapped[Actor] = relationship()
