"""Reports (`Flag` activities): a visitor or another server reports content on this site."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, Enum, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.database.tables import Base, Uri, now
from node.federating.models import Actor


class ReportState(StrEnum):
    """Open until a moderator decides; then upheld, or dismissed without action."""

    open = "open"
    upheld = "upheld"
    dismissed = "dismissed"


STATE_TRANSITIONS: dict[ReportState, frozenset[ReportState]] = {
    ReportState.open: frozenset({ReportState.upheld, ReportState.dismissed}),
    ReportState.upheld: frozenset({ReportState.open}),
    ReportState.dismissed: frozenset({ReportState.open}),
}


class Report(Base):
    """A report of one or more objects.

    `about` lists the ids of the reported objects; `words` is plain text; `uri` is the id of the
    `Flag`. `reporter` is None for a visitor to this site. `host` is the reporter's server.
    `decision` says what was done, in English.
    """

    __tablename__ = "report"
    __table_args__ = (Index(None, "state", "received_at"), Index(None, "host", "received_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(Uri, unique=True)
    reporter_id: Mapped[int | None] = mapped_column(ForeignKey("actor.id", ondelete="SET NULL"))
    host: Mapped[str] = mapped_column(String(300))
    about: Mapped[list[str]] = mapped_column(JSON)
    words: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[ReportState] = mapped_column(
        Enum(ReportState, native_enum=False, length=20), default=ReportState.open
    )
    decision: Mapped[str] = mapped_column(String(500), default="")
    decided_by: Mapped[str] = mapped_column(String(255), default="")
    received_at: Mapped[datetime] = mapped_column(default=now)
    decided_at: Mapped[datetime | None]
    reporter: Mapped[Actor | None] = relationship()
