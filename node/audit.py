"""The audit log: who did what, recorded in the same transaction as the action.

Rows are never changed or removed: triggers refuse UPDATE and DELETE (see the first migration).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from node.database.tables import Base, now


class AuditEntry(Base):
    """One action. `by` is a user's email address, `command line`, the name of a job or the URI of
    a remote actor; `subject` is a URI or a name.
    """

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
    by: Mapped[str] = mapped_column(String(2000))
    action: Mapped[str] = mapped_column(String(100), index=True)
    subject: Mapped[str] = mapped_column(String(2000))
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    request_id: Mapped[str] = mapped_column(String(64), default="")
