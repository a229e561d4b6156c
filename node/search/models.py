"""Index entries of projects and outputs, and saved searches.

The indexed text is in full-text tables of the database (`node.search.fulltext`), keyed by the ids
of these rows.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.database.tables import Base, now
from node.people.models import User
from node.projects.models import new_token


class ProjectIndexEntry(Base):
    """A project in the index. Ids ascend with the time of the last change
    (`node.search.indexing.entry_id_at`), so that sorting by id sorts by change.

    `title` is the project's title without accents and capitals, for sorting.
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
    """An output in the reuse catalogue.

    `token` identifies the output within its project; `adopters` is the number of councils that use
    it, for sorting.
    """

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
    """A search that a user saved under a name. `asked` is its query string.

    With `alerts`, its owner has been notified about results up to `checked_at`.
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
