"""The audit log: who did what, in the same transaction as the deed.

Rows are never changed or removed: triggers refuse UPDATE and DELETE (see the first migration).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from node.db import Base, now


class AuditEntry(Base):
    """One deed.

    `by` is an e-mail address, `command line`, or the actor of a peer; `subject` is a URI or a name.
    """

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
    by: Mapped[str] = mapped_column(String(2000))
    action: Mapped[str] = mapped_column(String(100), index=True)
    subject: Mapped[str] = mapped_column(String(2000))
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    request_id: Mapped[str] = mapped_column(String(64), default="")
