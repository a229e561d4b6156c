"""The models of projects, local and remote, with their versions and relations.

`uri` is the ActivityPub id of a project, `token` identifies it in our own URLs.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    and_,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates
from sqlalchemy.types import TypeDecorator

from federation.council_digest import bucket_number
from node.access.visibility import Resource, Visibility, resource_of
from node.councils.models import Council
from node.database.tables import Base, Uri, now
from node.federating.models import Actor
from node.people.models import User
from node.principal import PrincipalKind
from node.projects import details
from node.projects.adoptions import Adoption, AdoptionState, merge_adopters
from node.projects.details import Details, Freshness, Output

MAX_LEN_PHASE = 20
PHASE_PATTERN = re.compile(rf"(?=.{{1,{MAX_LEN_PHASE}}}$)[a-z]+(?:-[a-z0-9]+)*", re.ASCII)


class Phase(StrEnum):
    """The phases of the Service Manual, with one before and one after them.

    A word that only a later version of another node knows is a phase too, but not a member:
    `Phase("mothballed") not in list(Phase)`. Raises `ValueError` for anything else.
    """

    concept = "concept"
    discovery = "discovery"
    alpha = "alpha"
    beta = "beta"
    live = "live"
    retired = "retired"

    @classmethod
    def _missing_(cls, value: object) -> "Phase | None":
        if not isinstance(value, str) or not PHASE_PATTERN.fullmatch(value):
            return None
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        return member


class PhaseColumn(TypeDecorator[Phase]):
    """Stores a phase as its word."""

    impl = String(MAX_LEN_PHASE)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Phase | None:
        return None if value is None else Phase(value)


class ProjectState(StrEnum):
    """The state of a project; transitions: `STATE_TRANSITIONS`. `review` is a draft that someone
    else was asked to review.
    """

    draft = "draft"
    review = "review"
    published = "published"
    deleted = "deleted"


DRAFT_STATES = frozenset({ProjectState.draft, ProjectState.review})
STATE_TRANSITIONS: dict[ProjectState, frozenset[ProjectState]] = {
    ProjectState.draft: frozenset(
        {ProjectState.review, ProjectState.published, ProjectState.deleted}
    ),
    ProjectState.review: frozenset(
        {ProjectState.draft, ProjectState.published, ProjectState.deleted}
    ),
    ProjectState.published: frozenset({ProjectState.deleted}),
    ProjectState.deleted: frozenset(),
}


# A project ages with time; an update, an edit or a confirmation makes it fresh again. Drafts and
# retired projects are `unsaid`; remote projects have the freshness that their own node states.
FRESHNESS_TRANSITIONS: dict[Freshness, frozenset[Freshness]] = {
    Freshness.unsaid: frozenset({Freshness.fresh}),
    Freshness.fresh: frozenset({Freshness.due, Freshness.stale, Freshness.unsaid}),
    Freshness.due: frozenset({Freshness.stale, Freshness.fresh, Freshness.unsaid}),
    Freshness.stale: frozenset({Freshness.archived, Freshness.fresh, Freshness.unsaid}),
    Freshness.archived: frozenset({Freshness.fresh, Freshness.unsaid}),
}


def new_token() -> str:
    """72 random bits: short enough for a URL, and impossible to guess."""
    return secrets.token_urlsafe(9)


def new_revision() -> str:
    """An identifier for one state of a project or update; never reused."""
    return secrets.token_urlsafe(12)


# Dates of the details that have columns of their own.
DATE_COLUMNS = ("starts_on", "ends_on", "contract_ends_on", "assessment_on")
DENORMALISED_COLUMNS = (*DATE_COLUMNS, "has_outputs")


def denormalise(project_details: Details) -> dict[str, Any]:
    """Values for the columns that repeat parts of the details."""
    values = {name: getattr(project_details, name) for name in DATE_COLUMNS}
    return values | {"has_outputs": bool(project_details.outputs)}


@dataclass(frozen=True)
class LocalisedText:
    """The text of a project in one language. `content` is sanitised HTML."""

    title: str
    summary: str
    content: str
    language: str


class DetailsJson(TypeDecorator[Details]):
    """Stores `Details` as JSON, without empty fields."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Details | None, dialect: Dialect) -> dict[str, Any]:
        return details.dump(value or Details())

    def process_result_value(self, value: Any, dialect: Dialect) -> Details:
        return details.parse(Details, value)


class Project(Base):
    """A project of our council or of another.

    `brief` is Markdown as written, beside the headings in `details` (both empty for remote
    projects). `content` is the sanitised HTML of the whole brief. `language` is the language of
    both; `translations` holds title, summary, Markdown and content by other languages.

    The dates of `details`, and whether there are outputs, are repeated in columns so that they can
    be searched.

    `owner` is set for local projects only. The owner is due to review the project on `review_on`;
    `review_chosen_on` is a date that they chose instead of the usual one. Someone last confirmed on
    `confirmed_on` that it is up to date.

    `version` counts the changes of a local project, to detect concurrent edits. `revision`
    identifies the present state for comparison between nodes, and `bucket` is the part of the
    comparison that the project belongs to. `actor` is the project's own `Group`. `licence` is the
    URL that another council states for the text. `is_hidden`: a moderator removed a remote project
    from our pages. Comments on other servers were fetched at `conversation_read_at`; None: they are
    to be fetched.
    """

    __tablename__ = "project"
    __table_args__ = (
        Index(None, "state", "changed_at"),
        Index(None, "council_id", "state", "changed_at"),
        # Covers every column of the digests, so that computing them reads no text.
        Index(None, "council_id", "state", "bucket", "visibility", "revision", "uri"),
        Index(None, "council_id", "state", "id"),
        Index(None, "conversation_read_at", "state", "id"),
        Index(None, "state", "phase", "changed_at"),
        # Covers every column that counts need.
        Index(
            "ix_project_counted",
            "state",
            "council_id",
            "phase",
            "freshness",
            "visibility",
            "is_hidden",
        ),
        Index(None, "starts_on"),
        Index(None, "ends_on"),
        Index(None, "contract_ends_on"),
        Index(None, "assessment_on"),
        Index(None, "review_on"),
        Index(None, "has_outputs", "changed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(20), unique=True, default=new_token)
    uri: Mapped[str] = mapped_column(String(2000), unique=True)
    url: Mapped[str] = mapped_column(String(2000))
    council_id: Mapped[int] = mapped_column(ForeignKey("council.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(300))
    summary: Mapped[str] = mapped_column(String(500), default="")
    phase: Mapped[Phase] = mapped_column(PhaseColumn)
    brief: Mapped[str] = mapped_column(Text, default="")
    content: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[ProjectState] = mapped_column(Enum(ProjectState, native_enum=False, length=20))
    visibility: Mapped[Visibility] = mapped_column(
        Enum(Visibility, native_enum=False, length=20), default=Visibility.public
    )
    freshness: Mapped[Freshness] = mapped_column(
        Enum(Freshness, native_enum=False, length=20), default=Freshness.unsaid, index=True
    )
    review_on: Mapped[date | None]
    review_chosen_on: Mapped[date | None]
    confirmed_on: Mapped[date | None]
    archived_on: Mapped[date | None]
    details: Mapped[Details] = mapped_column(DetailsJson, default=Details)
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    contract_ends_on: Mapped[date | None]
    assessment_on: Mapped[date | None]
    has_outputs: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str] = mapped_column(String(10), default="en")
    translations: Mapped[dict[str, dict[str, str]]] = mapped_column(JSON, default=dict)
    licence: Mapped[str | None] = mapped_column(String(2000))
    is_hidden: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    revision: Mapped[str] = mapped_column(String(40), default=new_revision)
    bucket: Mapped[int] = mapped_column(
        SmallInteger, default=lambda context: bucket_number(context.get_current_parameters()["uri"])
    )
    actor_id: Mapped[int | None] = mapped_column(
        ForeignKey("actor.id", ondelete="SET NULL"), unique=True
    )
    owner_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=now)
    changed_at: Mapped[datetime] = mapped_column(default=now)
    published_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    conversation_read_at: Mapped[datetime | None] = mapped_column(default=now)
    council: Mapped[Council] = relationship()
    actor: Mapped[Actor | None] = relationship()
    owner: Mapped[User | None] = relationship()
    adoptions: Mapped[list[Adoption]] = relationship(
        primaryjoin=lambda: and_(
            Project.id == Adoption.project_id,
            Adoption.state.in_((AdoptionState.shown, AdoptionState.withdrawn)),
        ),
        order_by=Adoption.id,
        viewonly=True,
    )

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The outputs with all councils that reuse them: those listed in the details and those that
        announced it.
        """
        listed = self.details.outputs
        return merge_adopters(listed, self.adoptions) if listed else ()

    @property
    def is_draft(self) -> bool:
        """Whether the project is not published yet."""
        return self.state in DRAFT_STATES

    @property
    def effective_visibility(self) -> Visibility:
        """Private unless it is published."""
        return self.visibility if self.state is ProjectState.published else Visibility.private

    @property
    def resource(self) -> Resource[bool]:
        """What decides who may see it, if its council is shown here."""
        return resource_of(
            self.visibility,
            is_ours=self.is_local,
            is_shown=not self.is_hidden,
            is_published=self.state is ProjectState.published,
            is_draft=self.is_draft,
        )

    @property
    def is_local(self) -> bool:
        return self.council.is_local

    @validates("details")
    def _copy_to_columns(self, _name: str, value: Details) -> Details:
        for column, content in denormalise(value).items():
            setattr(self, column, content)
        return value

    def localised_text(self, language: str) -> LocalisedText:
        """The text in `language` if it is translated, else in its original language."""
        translation = self.translations.get(language, {})
        if not translation.get("title"):
            return LocalisedText(self.title, self.summary, self.content, self.language)
        return LocalisedText(
            translation["title"],
            translation.get("summary", ""),
            translation.get("content", ""),
            language,
        )

    def erase(self) -> None:
        """Erase the text of a deleted project; its row remains, to show that it existed."""
        self.title = self.summary = self.brief = self.content = ""
        self.translations, self.details, self.licence = {}, Details(), None


class ProjectVersion(Base):
    """The text of a local project at one time, kept as long as the project.

    `number` counts from 1. `deed` is the action that created the version: created, published,
    changed or restored, or known for a project older than the first version kept. `audience` is the
    visibility at that time. `by_user` is the author, if it is a user who still has an account;
    `by_kind` and `by_name` are those of the `Principal`, None if unknown.
    """

    __tablename__ = "project_version"
    __table_args__ = (UniqueConstraint("project_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    number: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=now)
    by_user_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    by_kind: Mapped[PrincipalKind | None] = mapped_column(
        Enum(PrincipalKind, native_enum=False, length=20)
    )
    by_name: Mapped[str | None] = mapped_column(String(2000))
    deed: Mapped[str] = mapped_column(String(20))
    audience: Mapped[Visibility] = mapped_column(Enum(Visibility, native_enum=False, length=20))
    text: Mapped[dict[str, Any]] = mapped_column(JSON)
    by_user: Mapped[User | None] = relationship()


class Relation(Base):
    """A relation that a project states to another, whose id is `uri`. Repeats its details so that
    relations can be found from the other project too.
    """

    __tablename__ = "project_relation"
    __table_args__ = (UniqueConstraint("project_id", "uri", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20))
    uri: Mapped[str] = mapped_column(Uri, index=True)
    project: Mapped[Project] = relationship()


class DigestBucket(Base):
    """Cached digests of one bucket of a council's projects and updates, compared between nodes.

    A change in the bucket clears the digests and increments `generation`; they are computed again
    when next needed. The `public_…` columns cover what everyone may read, the `peers_…` columns
    what peers may read.
    """

    __tablename__ = "bucket"
    __table_args__ = (UniqueConstraint("council_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    council_id: Mapped[int] = mapped_column(ForeignKey("council.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(SmallInteger)
    generation: Mapped[int] = mapped_column(default=0)
    public_count: Mapped[int | None]
    public_digest: Mapped[str | None] = mapped_column(String(64))
    peers_count: Mapped[int | None]
    peers_digest: Mapped[str | None] = mapped_column(String(64))


class ReindexRequest(Base):
    """A request to index a project again, because it changed since it was last indexed.

    Requests are processed in the order of their ids. The project may have been deleted meanwhile.
    """

    __tablename__ = "project_mark"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int]
