"""Other servers: their state and health, subscriptions, disclosures, refusals and reactions."""

from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from federation.retry import RetryPolicy
from node.database.tables import Base, Uri, now
from node.federating.models.actors import Actor
from node.queue.mixins import QueueMixin


class Peer(Base):
    """A host that the operator or a list has decided about, that was suggested, or that we had
    contact with.

    `state`: allowed, blocked or unknown, decided by the operator unless `peer_list` is set;
    `comment` says why. `is_to_greet`: it was just allowed and is yet to be contacted. `found_from`:
    the host that suggested it, while nobody has decided. `software`: what it runs, by its NodeInfo,
    last queried at `asked_at`. `scheme`: the signature scheme it is known to accept. `failures`:
    failed attempts in a row; after some, nothing is sent before `try_after`, and
    `unreachable_since` is set. `clock_difference`: the seconds by which its clock was ahead of ours
    at its last response.
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
    """A single row: the time this node last recorded. A time in the future shows that the clock was
    set back.
    """

    __tablename__ = "clock"

    id: Mapped[int] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime]


class PeerList(QueueMixin, Base):
    """A subscription to a list of servers that another node publishes at `url`.

    `body` is the list as last fetched. It may block hosts; it may allow them only with `may_allow`.
    """

    __tablename__ = "peer_list"

    JOB, WAITING_STATE = "peer-lists", "subscribed"
    RETRY = RetryPolicy(timedelta(minutes=20))
    STATES = {"subscribed": frozenset()}  # noqa: RUF012 -- a constant table

    url: Mapped[str] = mapped_column(Uri, unique=True)
    fetched_at: Mapped[datetime | None]
    entries: Mapped[int] = mapped_column(default=0)
    body: Mapped[str] = mapped_column(Text, default="")
    may_allow: Mapped[bool] = mapped_column(default=False)
    outcome: Mapped[str] = mapped_column(String(500), default="")


class Disclosure(Base):
    """An entry of the disclosure ledger: a host received an object of ours, first and last when,
    and by which activity type.

    `inbox`: where it was delivered; None if the host fetched it. `deleted_at`: when the host
    acknowledged the object's Delete.
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
    """How often messages of a host were refused for a reason, and when last.

    `host` is the unverified sender that the messages claim.
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
    """A Like or Announce (`kind`) of a known object; one per actor, whatever its id.

    `uri` is the id of the activity.
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
    """An object that a remote actor has deleted. A Create that arrives later is ignored."""

    __tablename__ = "deleted"

    uri: Mapped[str] = mapped_column(Uri, primary_key=True)
    actor_id: Mapped[int] = mapped_column(
        ForeignKey("actor.id", ondelete="CASCADE"), primary_key=True
    )
    at: Mapped[datetime] = mapped_column(default=now, index=True)
