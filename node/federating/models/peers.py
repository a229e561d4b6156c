"""Other servers: whom we speak with, how it goes, what they got and what was refused."""

from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.db import Base, now
from node.federating.models.actors import Actor
from node.federating.models.mixins import QueueMixin, Uri


class Peer(Base):
    """A host that the operator spoke about, that a list names, or that we have heard from.

    `state`: allowed, blocked or unknown; the operator decided it, unless `peer_list` did.
    `comment` says why. One that `is_to_greet` was allowed a moment ago. `found_from` is the host
    that told us of it, as long as nobody decided. `software` is what it said it runs, `asked_at`
    when it was last asked. `scheme` is the signature scheme it is known to take. `failures` counts
    attempts in a row that nobody answered; after some, nothing is sent before `try_after`, and
    `unreachable_since` says since when. `clock_difference` is how many seconds its clock was ahead
    of ours when it answered last.
    """

    __tablename__ = "peer"

    id: Mapped[int] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(String(300), unique=True)
    state: Mapped[str] = mapped_column(String(20), default="unknown", index=True)
    comment: Mapped[str] = mapped_column(String(500), default="")
    is_to_greet: Mapped[bool] = mapped_column(default=False)
    peer_list_id: Mapped[int | None] = mapped_column(
        ForeignKey("peer_list.id", ondelete="SET NULL"), index=True
    )
    found_from: Mapped[str | None] = mapped_column(String(300))
    software: Mapped[str] = mapped_column(String(100), default="")
    asked_at: Mapped[datetime | None]
    scheme: Mapped[str | None] = mapped_column(String(20))
    failures: Mapped[int] = mapped_column(default=0)
    try_after: Mapped[datetime | None]
    unreachable_since: Mapped[datetime | None]
    heard_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    last_answer: Mapped[str] = mapped_column(String(500), default="")
    clock_difference: Mapped[int | None]
    peer_list: Mapped["PeerList | None"] = relationship()


class ClockReading(Base):
    """One row: when this node last noted the time. A time that lies ahead shows that the clock was
    set back.
    """

    __tablename__ = "clock"

    id: Mapped[int] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime]


class PeerList(QueueMixin, Base):
    """A list of servers that another node keeps and ours follows. `url` is where it stands.

    `body` is the list as it was last read. It may block; it allows only where `may_allow`.
    """

    __tablename__ = "peer_list"

    JOB, WAITING = "peer-lists", "subscribed"
    FIRST_DELAY = timedelta(minutes=20)
    STATES = {"subscribed": frozenset()}  # noqa: RUF012 -- a constant table

    url: Mapped[str] = mapped_column(Uri, unique=True)
    fetched_at: Mapped[datetime | None]
    entries: Mapped[int] = mapped_column(default=0)
    body: Mapped[str] = mapped_column(Text, default="")
    may_allow: Mapped[bool] = mapped_column(default=False)
    outcome: Mapped[str] = mapped_column(String(500), default="")


class Disclosure(Base):
    """What a host got of ours: of each object when first, when last, and by which activity.

    `inbox` is where it was delivered; none where the host fetched it. `deleted_at` is when the host
    acknowledged that the object is gone.
    """

    __tablename__ = "shared"
    __table_args__ = (
        UniqueConstraint("object_uri", "host"),
        Index(None, "host", "last_at"),
        Index(None, "last_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    object_uri: Mapped[str] = mapped_column(Uri)
    host: Mapped[str] = mapped_column(String(300))
    inbox: Mapped[str | None] = mapped_column(Uri)
    type: Mapped[str] = mapped_column(String(40))
    first_at: Mapped[datetime] = mapped_column(default=now)
    last_at: Mapped[datetime] = mapped_column(default=now)
    deleted_at: Mapped[datetime | None]


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


class Reaction(Base):
    """Somebody likes or announces something of ours or that we know: once, whatever the id.

    `kind`: Like or Announce. `uri` is the id of the activity.
    """

    __tablename__ = "reaction"
    __table_args__ = (
        UniqueConstraint("object_uri", "kind", "actor_id"),
        Index(None, "actor_id", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(Uri, unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    actor_id: Mapped[int] = mapped_column(ForeignKey("actor.id", ondelete="CASCADE"))
    object_uri: Mapped[str] = mapped_column(Uri)
    at: Mapped[datetime] = mapped_column(default=now)
    actor: Mapped[Actor] = relationship()


class RemoteTombstone(Base):
    """What a remote actor said it deleted: its Create that comes later is not shown."""

    __tablename__ = "deleted"

    uri: Mapped[str] = mapped_column(Uri, primary_key=True)
    actor_id: Mapped[int] = mapped_column(
        ForeignKey("actor.id", ondelete="CASCADE"), primary_key=True
    )
    at: Mapped[datetime] = mapped_column(default=now, index=True)
