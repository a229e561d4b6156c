"""Actors, their keys, and the follows and blocks between them."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.database.tables import Base, Uri, now
from node.queue.mixins import StateMixin


class Actor(Base):
    """An ActivityPub actor: the node, a council, a project, an officer, or a stored remote actor.

    `uri` is its ActivityPub id. `attributed_to`: the council of a project's actor. `user_id`: the
    account of an officer with a public profile. `digest`: the URL of a council's digest document,
    for comparison. `moved_to`: the verified successor. `is_for_peers`: a local actor that only
    peers may see. `is_blocked`: the actor is hidden and its activities are refused, because its
    server or itself is blocked.
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
    digest: Mapped[str | None] = mapped_column(Uri)
    attributed_to: Mapped[str | None] = mapped_column(Uri)
    also_known_as: Mapped[list[str]] = mapped_column(JSON, default=list)
    moved_to: Mapped[str | None] = mapped_column(Uri)
    moved_at: Mapped[datetime | None]
    is_blocked: Mapped[bool] = mapped_column(default=False)
    is_for_peers: Mapped[bool] = mapped_column(default=False)
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), unique=True
    )
    is_local: Mapped[bool] = mapped_column(default=False, index=True)
    fetched_at: Mapped[datetime] = mapped_column(default=now)
    keys: Mapped[list["ActorKey"]] = relationship(
        back_populates="actor", cascade="all, delete-orphan", order_by="ActorKey.id"
    )

    @property
    def address(self) -> str:
        """`@username@host`, as users type it; the host alone for an actor without a username."""
        return f"@{self.username}@{self.host}" if self.username else self.host


class ActorKey(Base):
    """A public key of an actor; for a local actor with the private key. `key_id` is its URI.

    `asserts`: the actor lists it for integrity proofs, in `assertionMethod`. `retired_at`: since
    then a newer key signs, and this one is listed only for deliveries in flight.
    """

    __tablename__ = "actor_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(Uri, unique=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("actor.id", ondelete="CASCADE"), index=True)
    public_pem: Mapped[str] = mapped_column(Text)
    private_pem: Mapped[str | None] = mapped_column(Text)
    asserts: Mapped[bool] = mapped_column(default=False)
    retired_at: Mapped[datetime | None]
    actor: Mapped[Actor] = relationship(back_populates="keys")


class Follow(StateMixin, Base):
    """One actor follows another. `uri` is the id of the newest Follow activity."""

    __tablename__ = "follow"
    __table_args__ = (UniqueConstraint("follower_id", "followed_id"),)

    STATES = {  # noqa: RUF012 -- a constant table
        "requested": frozenset({"accepted", "rejected"}),
        "accepted": frozenset({"rejected"}),
        "rejected": frozenset({"requested", "accepted"}),
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


class Block(Base):
    """One actor, local or remote, blocks another. `uri` is the id of the Block activity."""

    __tablename__ = "block"
    __table_args__ = (UniqueConstraint("blocker_id", "blocked_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(Uri, unique=True)
    blocker_id: Mapped[int] = mapped_column(ForeignKey("actor.id", ondelete="CASCADE"))
    blocked_id: Mapped[int] = mapped_column(ForeignKey("actor.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(default=now)
    blocker: Mapped[Actor] = relationship(foreign_keys=blocker_id)
    blocked: Mapped[Actor] = relationship(foreign_keys=blocked_id)
