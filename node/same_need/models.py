"""The model of statements about projects of other councils."""

from datetime import datetime

from sqlalchemy import Enum, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.database.tables import Base, Uri, now
from node.federating.models import Actor
from node.projects.details import RelationKind
from node.projects.models import new_token


class SameNeedStatement(Base):
    """`author`, the actor of a council that owns neither project, states that they are alike. `who`
    is the name of our coordinator who stated it, empty for remote statements. `is_hidden`: removed
    from our project's page.
    """

    __tablename__ = "statement"

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(20), unique=True, default=new_token)
    uri: Mapped[str] = mapped_column(Uri, unique=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("actor.id", ondelete="CASCADE"), index=True)
    first_uri: Mapped[str] = mapped_column(Uri, index=True)
    second_uri: Mapped[str] = mapped_column(Uri, index=True)
    kind: Mapped[RelationKind] = mapped_column(Enum(RelationKind, native_enum=False, length=20))
    who: Mapped[str] = mapped_column(String(200), default="")
    is_hidden: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = mapped_column(default=now)
    author: Mapped[Actor] = relationship(lazy="joined", innerjoin=True)
