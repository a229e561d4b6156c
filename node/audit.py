"""The audit log: who did what, recorded in the same transaction as the action.

Rows are never changed or removed: triggers refuse UPDATE and DELETE (see the first migration).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Enum, String
from sqlalchemy.orm import Mapped, mapped_column

from node.database.tables import Base, now
from node.principal import PrincipalKind, Via


class AuditEntry(Base):
    """One action. `by_kind`, `by_id`, `by` (its name at that time) and `via` are those of the
    `Principal`; `subject` is a URI or a name.

    `by_id` is empty in old entries of persons whose email address no longer belongs to a user.
    """

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
    by_kind: Mapped[PrincipalKind] = mapped_column(
        Enum(PrincipalKind, native_enum=False, length=20)
    )
    by_id: Mapped[str] = mapped_column(String(2000))
    by: Mapped[str] = mapped_column(String(2000))
    via: Mapped[Via | None] = mapped_column(Enum(Via, native_enum=False, length=20))
    action: Mapped[str] = mapped_column(String(100), index=True)
    subject: Mapped[str] = mapped_column(String(2000))
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    request_id: Mapped[str] = mapped_column(String(64), default="")
