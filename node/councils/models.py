"""A council. Its ActivityPub side is its actor; our own council has `slug` and `colour` besides."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.db import Base
from node.federating.models import Actor


class Council(Base):
    """A council of this node (`actor.is_local`) or of another.

    `gss_code` is its ONS code, such as E06000037.
    """

    __tablename__ = "council"

    id: Mapped[int] = mapped_column(primary_key=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("actor.id", ondelete="CASCADE"), unique=True)
    name: Mapped[str] = mapped_column(String(300))
    slug: Mapped[str | None] = mapped_column(String(100), unique=True)
    colour: Mapped[str | None] = mapped_column(String(7))
    gss_code: Mapped[str | None] = mapped_column(String(9), index=True)
    actor: Mapped[Actor] = relationship(lazy="joined")

    @property
    def is_local(self) -> bool:
        return self.actor.is_local
