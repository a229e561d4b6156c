"""The tables: versions and drafts of checklists, runs, answers and their history, questions
received.

A run is one completed or unfinished pass through a checklist, about one subject: a project, a
service or the council as a whole.

`by` and `began_by` are the address or name of who did it, at that time, to read; where it matters
who it was, `by_id` and `began_by_id` are the user's id, None if it was no user.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from node.api import Base, Uri, now

PROJECT, SERVICE, COUNCIL = "project", "service", "council"
OPEN, FINISHED = "open", "finished"


class ChecklistVersion(Base):
    """A version of a checklist that was published here, or that a run here uses."""

    __tablename__ = "checklists__version"
    __table_args__ = (UniqueConstraint("checklist", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    checklist: Mapped[str] = mapped_column(String(60))
    number: Mapped[int]
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    by: Mapped[str] = mapped_column(String(500))
    at: Mapped[datetime] = mapped_column(default=now)


class ChecklistDraft(Base):
    """An unpublished definition, at most one for each checklist. `edition` counts its changes."""

    __tablename__ = "checklists__draft"

    id: Mapped[int] = mapped_column(primary_key=True)
    checklist: Mapped[str] = mapped_column(String(60), unique=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    edition: Mapped[int] = mapped_column(default=1)
    by: Mapped[str] = mapped_column(String(500))
    at: Mapped[datetime] = mapped_column(default=now)


class Assessment(Base):
    """One pass through a checklist.

    `about` is the subject: the id of a project, the name of a service in lower case, or an empty
    string for the council. `title` is the title of the subject when the run began. `number` counts
    the runs of one checklist about one subject; `is_latest` marks the newest. `document_id` is the
    id of the shared document, or an empty string.
    """

    __tablename__ = "checklists__run"
    __table_args__ = (
        UniqueConstraint("checklist", "scope", "about", "number"),
        Index("ix_checklists__run_scope_about", "scope", "about"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(40), unique=True)
    checklist: Mapped[str] = mapped_column(String(60))
    version: Mapped[int]
    scope: Mapped[str] = mapped_column(String(20))
    about: Mapped[str] = mapped_column(Uri)
    title: Mapped[str] = mapped_column(Text)
    number: Mapped[int]
    is_latest: Mapped[bool] = mapped_column(default=True)
    state: Mapped[str] = mapped_column(String(20), default=OPEN)
    began_by_id: Mapped[int | None] = mapped_column(index=True)
    began_by: Mapped[str] = mapped_column(String(500))
    began_at: Mapped[datetime] = mapped_column(default=now)
    changed_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]
    document_id: Mapped[str] = mapped_column(Uri, default="")


class ChecklistAnswer(Base):
    """The current answer to one question of a run, with its action.

    `edition` counts the changes. `plan`, `owner_id`, `due_on`, `done_at` and `action` (open, done,
    or empty) describe the action that a no or partly opens. `reminded_of` is the due date of which
    the owner was last reminded.
    """

    __tablename__ = "checklists__answer"
    __table_args__ = (UniqueConstraint("run_id", "question"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("checklists__run.id"))
    question: Mapped[str] = mapped_column(String(60))
    answer: Mapped[str] = mapped_column(Text, default="")
    note: Mapped[str] = mapped_column(Text, default="")
    evidence: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    action: Mapped[str] = mapped_column(String(10), default="", index=True)
    plan: Mapped[str] = mapped_column(Text, default="")
    owner_id: Mapped[int | None] = mapped_column(index=True)
    due_on: Mapped[date | None] = mapped_column(index=True)
    done_at: Mapped[datetime | None]
    reminded_of: Mapped[date | None]
    edition: Mapped[int] = mapped_column(default=1)
    by_id: Mapped[int | None]
    by: Mapped[str] = mapped_column(String(500))
    at: Mapped[datetime] = mapped_column(default=now)


class AnswerHistory(Base):
    """One change of an answer: its author, its time, and the previous values of the columns."""

    __tablename__ = "checklists__past"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("checklists__run.id"), index=True)
    question: Mapped[str] = mapped_column(String(60))
    what: Mapped[str] = mapped_column(String(20))
    before: Mapped[dict[str, Any]] = mapped_column(JSON)
    by_id: Mapped[int | None]
    by: Mapped[str] = mapped_column(String(500))
    at: Mapped[datetime] = mapped_column(default=now)


class Enquiry(Base):
    """A question from an officer of another council about an answer that our council shares."""

    __tablename__ = "checklists__asked"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("checklists__run.id"), index=True)
    question: Mapped[str] = mapped_column(String(60))
    council_uri: Mapped[str] = mapped_column(Uri, index=True)
    council_name: Mapped[str] = mapped_column(String(300))
    words: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(254))
    at: Mapped[datetime] = mapped_column(default=now)
