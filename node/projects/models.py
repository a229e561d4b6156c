"""A project of this council or of another.

`uri` is its ActivityPub id, `token` its name in our own addresses.
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

from federation.digest import bucket_number
from node.councils.models import Council
from node.db import Base, now
from node.federating.models import Actor, Uri
from node.people.models import User
from node.projects import details
from node.projects.adoptions import Adoption, AdoptionState, with_adopters
from node.projects.details import Details, Freshness, Output

MAX_LEN_PHASE = 20
PHASE_WORD = re.compile(rf"(?=.{{1,{MAX_LEN_PHASE}}}$)[a-z]+(?:-[a-z0-9]+)*", re.ASCII)


class Phase(StrEnum):
    """The phases of the Service Manual, with the ones before and after it.

    A word that only a later version of another council's node knows is a phase, too, which is none
    of these: `Phase("mothballed") not in list(Phase)`. Raises `ValueError` for what cannot be one.
    """

    concept = "concept"
    discovery = "discovery"
    alpha = "alpha"
    beta = "beta"
    live = "live"
    retired = "retired"

    @classmethod
    def _missing_(cls, value: object) -> "Phase | None":
        if not isinstance(value, str) or not PHASE_WORD.fullmatch(value):
            return None
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        return member


class PhaseColumn(TypeDecorator[Phase]):
    """A phase by its word."""

    impl = String(MAX_LEN_PHASE)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Phase | None:
        return None if value is None else Phase(value)


class Visibility(StrEnum):
    """Who may read a published project: everybody, the councils we allowed, or our own people."""

    public = "public"
    peers = "peers"
    private = "private"


class ProjectState(StrEnum):
    """Where a project stands with its readers. How it may move is `TRANSITIONS`. One in `review` is
    a draft that somebody else is asked to read.
    """

    draft = "draft"
    review = "review"
    published = "published"
    deleted = "deleted"


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


# Time moves it on; an update, an edit or a word of its owner makes it fresh again. Of drafts and of
# what is retired nothing is said, and of others' projects what their own node says.
FRESHNESS_TRANSITIONS: dict[Freshness, frozenset[Freshness]] = {
    Freshness.unsaid: frozenset({Freshness.fresh}),
    Freshness.fresh: frozenset({Freshness.due, Freshness.stale, Freshness.unsaid}),
    Freshness.due: frozenset({Freshness.stale, Freshness.fresh, Freshness.unsaid}),
    Freshness.stale: frozenset({Freshness.archived, Freshness.fresh, Freshness.unsaid}),
    Freshness.archived: frozenset({Freshness.fresh, Freshness.unsaid}),
}


def new_token() -> str:
    """72 random bits: short in an address, and not to be guessed."""
    return secrets.token_urlsafe(9)


def new_revision() -> str:
    """The name of one state of a project, never used again."""
    return secrets.token_urlsafe(12)


# The days of a project that stand in columns.
DATE_COLUMNS = ("starts_on", "ends_on", "contract_ends_on", "assessment_on")


DENORMALISED = (*DATE_COLUMNS, "has_outputs")


def denormalise(said: Details) -> dict[str, Any]:
    """The columns that repeat what stands in the details."""
    days = {name: getattr(said, name) for name in DATE_COLUMNS}
    return days | {"has_outputs": bool(said.outputs)}


@dataclass(frozen=True)
class LocalisedText:
    """The text of a project in one language. `content` is sanitised HTML."""

    title: str
    summary: str
    content: str
    language: str


class DetailsJson(TypeDecorator[Details]):
    """`Details` as JSON, without what says nothing."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Details | None, dialect: Dialect) -> dict[str, Any]:
        return details.dump(value or Details())

    def process_result_value(self, value: Any, dialect: Dialect) -> Details:
        return details.parse(Details, value)


class Project(Base):
    """`brief` is Markdown as written, beside the headings that `details` has (empty for remote
    projects); `content` is the sanitised HTML of all of it, ready to show. `language` is that of
    both; `translations` holds title, summary, the Markdown and content by other languages.

    The days of `details`, and whether it has outputs, stand beside it in columns of their own, so
    that they can be searched for.

    `owner` is who looks after a project of ours. `freshness` says how far it can be relied on; its
    owner is to look at it again on `review_on`, and somebody said that it is true on
    `confirmed_on`. On a day that was chosen, `review_chosen_on`, it is due and not before.

    `version` counts the changes of a local project, so that two people editing at once find out.
    `revision` names what it says now, for comparison between nodes, and `bucket` is the part of the
    comparison that it belongs to. `actor` is the project's own, which can be followed. `licence` is
    the address of the one that another council states for its text. One of another council that
    `is_hidden` was taken off our pages by a moderator; what was said about it elsewhere was read at
    `conversation_read_at`, or is to be read.
    """

    __tablename__ = "project"
    __table_args__ = (
        Index(None, "state", "changed_at"),
        Index(None, "council_id", "state", "changed_at"),
        # All that digests are made of, so that no text is read for them.
        Index(None, "council_id", "state", "bucket", "visibility", "revision", "uri"),
        Index(None, "council_id", "state", "id"),
        Index(None, "conversation_read_at", "state", "id"),
        Index(None, "state", "phase", "changed_at"),
        # All that counts are made of.
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
        SmallInteger, default=lambda made: bucket_number(made.get_current_parameters()["uri"])
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
        """The outputs with all councils that use them: those that its text names, and those that
        say so themselves.
        """
        said = self.details.outputs
        return with_adopters(said, self.adoptions) if said else ()

    @property
    def is_draft(self) -> bool:
        """Whether it has yet to be published."""
        return self.state in {ProjectState.draft, ProjectState.review}

    @property
    def is_local(self) -> bool:
        return self.council.is_local

    @validates("details")
    def _copy_to_columns(self, _name: str, said: Details) -> Details:
        for name, value in denormalise(said).items():
            setattr(self, name, value)
        return said

    def localised_text(self, language: str) -> LocalisedText:
        """The text in a language, as far as there is one; else as it was written."""
        other = self.translations.get(language, {})
        if not other.get("title"):
            return LocalisedText(self.title, self.summary, self.content, self.language)
        return LocalisedText(
            other["title"], other.get("summary", ""), other.get("content", ""), language
        )

    def erase(self) -> None:
        """Forget what was written; that there was a project is all that a deleted one keeps."""
        self.title = self.summary = self.brief = self.content = ""
        self.translations, self.details, self.licence = {}, Details(), None


class ProjectVersion(Base):
    """What a project of ours said at one time, kept as long as the project is.

    `number` counts from 1. `deed` is what made it: created, published, changed or restored, or
    known for one that was there before versions were kept. `audience` is who could read it then:
    public, peers, or private for our own people.
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
    deed: Mapped[str] = mapped_column(String(20))
    audience: Mapped[Visibility] = mapped_column(Enum(Visibility, native_enum=False, length=20))
    text: Mapped[dict[str, Any]] = mapped_column(JSON)
    by_user: Mapped[User | None] = relationship()


class Relation(Base):
    """That a project says it is related to another, whose id is `uri`: taken from its details, so
    that the other can be asked who says so.
    """

    __tablename__ = "project_relation"
    __table_args__ = (UniqueConstraint("project_id", "uri", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20))
    uri: Mapped[str] = mapped_column(Uri, index=True)
    project: Mapped[Project] = relationship()


class DigestBucket(Base):
    """One part of a council's projects, summed up for comparison between nodes.

    A change of a project in it empties the digests and adds one to `generation`; whoever needs them
    next makes them anew. `public_…` is of what everybody may read, `peers_…` of what peers may.
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
    """Something of a project has changed since it was read for the index last.

    Whoever works them off takes them by their ids; the project may be gone by then.
    """

    __tablename__ = "project_mark"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int]
