"""What can be found, and the searches that people keep.

The text itself is in tables of the database's full-text kind (`node.search.fulltext`), by the ids
of these rows.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.db import Base, now
from node.people.models import User
from node.projects.models import new_token


class ProjectIndexEntry(Base):
    """A project in the index. Its id is larger than that of all that changed before it.

    `title` is that of the project without accents and capitals, to sort by.
    """

    __tablename__ = "search_entry"
    __table_args__ = (
        Index(None, "title", "id"),
        Index(None, "ends_on", "id"),
        Index(None, "contract_ends_on", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    project_id: Mapped[int] = mapped_column(
        ForeignKey("project.id", ondelete="CASCADE"), unique=True
    )
    title: Mapped[str] = mapped_column(String(100))
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    contract_ends_on: Mapped[date | None]


class OutputIndexEntry(Base):
    """An output of a project in the catalogue for reuse; `token` is its name in the project."""

    __tablename__ = "search_output"
    __table_args__ = (Index(None, "adopters", "id"), Index(None, "title", "id"))

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    project_id: Mapped[int] = mapped_column(
        ForeignKey("project.id", ondelete="CASCADE"), index=True
    )
    token: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(100))
    adopters: Mapped[int]


class SavedSearch(Base):
    """A search that a person keeps under a name. `asked` is the query of its address.

    `checked_at` is up to when its owner has been told what is new, if `alerts`.
    """

    __tablename__ = "saved_search"
    __table_args__ = (Index(None, "alerts", "checked_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(20), unique=True, default=new_token)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    asked: Mapped[str] = mapped_column(String(2000))
    alerts: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    checked_at: Mapped[datetime] = mapped_column(default=now)
    user: Mapped[User] = relationship()
