"""The table of plugin documents, of our council and of others."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.councils.models import Council
from node.database.tables import Base, Uri, now
from node.projects.models import new_revision, new_token

PUBLISHED, WITHDRAWN = "published", "withdrawn"


class PluginDocument(Base):
    """A document. `fields` match its type and are sanitised; `visibility` is `public` or `peers`.

    A withdrawn document of our council keeps its row, without name and fields, so that its address
    answers 410 Gone. A deleted document of another council leaves no row.
    """

    __tablename__ = "plugin_document"
    __table_args__ = (
        Index(None, "type", "state", "changed_at"),
        Index(None, "council_id", "state", "id"),
        Index(None, "project_uri"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(20), unique=True, default=new_token)
    uri: Mapped[str] = mapped_column(Uri, unique=True)
    plugin: Mapped[str] = mapped_column(String(40))
    type: Mapped[str] = mapped_column(String(40))
    council_id: Mapped[int] = mapped_column(ForeignKey("council.id", ondelete="CASCADE"))
    project_uri: Mapped[str | None] = mapped_column(Uri)
    name: Mapped[str] = mapped_column(String(300))
    fields: Mapped[dict[str, Any]] = mapped_column(JSON)
    visibility: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(20), default=PUBLISHED)
    revision: Mapped[str] = mapped_column(String(40), default=new_revision)
    published_at: Mapped[datetime] = mapped_column(default=now)
    changed_at: Mapped[datetime] = mapped_column(default=now)
    deleted_at: Mapped[datetime | None]
    council: Mapped[Council] = relationship()

    @property
    def is_local(self) -> bool:
        return self.council.is_local
