"""The model of an update: what changed in a project, what is next and what is needed.

A change of an update, or of who may read its project, invalidates the cached digest of its bucket
in the same transaction.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    Connection,
    Enum,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Text,
    event,
    inspect,
    select,
)
from sqlalchemy.orm import Mapped, Mapper, mapped_column, relationship

from federation.council_digest import bucket_number
from node.database.tables import Base, Uri, now
from node.federating.models import Actor
from node.projects.bucket_digests import invalidate
from node.projects.models import Project, new_revision, new_token

# Columns of an update, and of its project, that a digest is computed from.
DIGEST_COLUMNS = ("revision", "state")
PROJECT_DIGEST_COLUMNS = ("state", "visibility")


class UpdateState(StrEnum):
    """An update is published at once. A deleted one keeps its row, without text."""

    published = "published"
    deleted = "deleted"


STATE_TRANSITIONS: dict[UpdateState, frozenset[UpdateState]] = {
    UpdateState.published: frozenset({UpdateState.deleted}),
    UpdateState.deleted: frozenset(),
}


class Update(Base):
    """An update about a project. `changed`, `next` and `needs` are Markdown as written (empty for
    remote updates); `content` is the sanitised HTML of all three. `author` is the council's actor.
    `revision` and `bucket` are used to compare nodes, as for `Project`.
    """

    __tablename__ = "project_update"
    __table_args__ = (
        Index(None, "project_id", "state", "published_at"),
        Index(None, "state", "published_at"),
        # Covers every column of the digests, so that computing them reads no text.
        Index(
            "ix_project_update_compared",
            "author_id",
            "state",
            "bucket",
            "project_id",
            "revision",
            "uri",
        ),
        Index(None, "author_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(20), unique=True, default=new_token)
    uri: Mapped[str] = mapped_column(Uri, unique=True)
    url: Mapped[str] = mapped_column(Uri)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    author_id: Mapped[int] = mapped_column(ForeignKey("actor.id", ondelete="CASCADE"))
    changed: Mapped[str] = mapped_column(Text, default="")
    next: Mapped[str] = mapped_column(Text, default="")
    needs: Mapped[str] = mapped_column(Text, default="")
    content: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(10), default="en")
    state: Mapped[UpdateState] = mapped_column(
        Enum(UpdateState, native_enum=False, length=20), default=UpdateState.published
    )
    version: Mapped[int] = mapped_column(default=1)
    revision: Mapped[str] = mapped_column(String(40), default=new_revision)
    bucket: Mapped[int] = mapped_column(
        SmallInteger, default=lambda context: bucket_number(context.get_current_parameters()["uri"])
    )
    published_at: Mapped[datetime] = mapped_column(default=now)
    changed_at: Mapped[datetime] = mapped_column(default=now)
    deleted_at: Mapped[datetime | None]
    project: Mapped[Project] = relationship()
    author: Mapped[Actor] = relationship()


@event.listens_for(Update, "after_insert")
@event.listens_for(Update, "after_delete")
def _on_insert_or_delete(_mapper: "Mapper[Update]", connection: Connection, update: Update) -> None:
    _invalidate_bucket(connection, update)


@event.listens_for(Update, "after_update")
def _on_update(_mapper: "Mapper[Update]", connection: Connection, update: Update) -> None:
    state = inspect(update)
    if any(state.attrs[name].history.has_changes() for name in DIGEST_COLUMNS):
        _invalidate_bucket(connection, update)


@event.listens_for(Project, "after_update")
def _on_project_update(
    _mapper: "Mapper[Project]", connection: Connection, project: Project
) -> None:
    state = inspect(project)
    if any(state.attrs[name].history.has_changes() for name in PROJECT_DIGEST_COLUMNS):
        bucket_numbers = select(Update.bucket).where(Update.project_id == project.id).distinct()
        invalidate(connection, project.council_id, connection.scalars(bucket_numbers).all())


def _invalidate_bucket(connection: Connection, update: Update) -> None:
    council_id = select(Project.council_id).where(Project.id == update.project_id)
    invalidate(connection, connection.execute(council_id).scalar_one(), [update.bucket])
