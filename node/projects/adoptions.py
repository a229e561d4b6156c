"""The model of an adoption: a council's statement that it reuses an output of a project."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Enum, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.database.tables import Base, Uri, now
from node.federating.identity import actors
from node.federating.models import Actor
from node.projects.details import MAX_ITEMS, Adopter, Output


class AdoptionState(StrEnum):
    """`held`: waiting for a moderator; `hidden`: refused by one; `withdrawn`: no longer reused."""

    held = "held"
    shown = "shown"
    hidden = "hidden"
    withdrawn = "withdrawn"


STATE_TRANSITIONS: dict[AdoptionState, frozenset[AdoptionState]] = {
    AdoptionState.held: frozenset(
        {AdoptionState.shown, AdoptionState.hidden, AdoptionState.withdrawn}
    ),
    AdoptionState.shown: frozenset({AdoptionState.hidden, AdoptionState.withdrawn}),
    AdoptionState.hidden: frozenset({AdoptionState.shown}),
    AdoptionState.withdrawn: frozenset({AdoptionState.held, AdoptionState.shown}),
}


class Adoption(Base):
    """`author`, the actor of a council, reuses the output with the token `output` of a project.

    `uri` is the id of the latest `Add` or `Remove`. The project is ours, or one of another council
    whose actor announced the adoption.
    """

    __tablename__ = "adoption"
    __table_args__ = (
        UniqueConstraint("project_id", "output", "author_id"),
        Index(None, "author_id", "changed_at"),
        Index(None, "state", "changed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(Uri, unique=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    output: Mapped[str] = mapped_column(String(20))
    author_id: Mapped[int] = mapped_column(ForeignKey("actor.id", ondelete="CASCADE"))
    state: Mapped[AdoptionState] = mapped_column(
        Enum(AdoptionState, native_enum=False, length=20), default=AdoptionState.held
    )
    since: Mapped[datetime] = mapped_column(default=now)
    changed_at: Mapped[datetime] = mapped_column(default=now)
    author: Mapped[Actor] = relationship(lazy="joined", innerjoin=True)


def merge_adopters(outputs: Sequence[Output], adoptions: Sequence[Adoption]) -> tuple[Output, ...]:
    """`outputs` with the councils that announced reusing them, without those that withdrew."""
    return tuple(_merge_adopters(output, adoptions) for output in outputs)


def _merge_adopters(output: Output, adoptions: Sequence[Adoption]) -> Output:
    rows = [row for row in adoptions if row.output == output.token]
    if not rows:
        return output
    author_uris = {row.author.uri for row in rows}
    listed = [adopter for adopter in output.adopters if adopter.uri not in author_uris]
    announced = [
        Adopter(row.author.name, row.author.uri, row.since.date())
        for row in rows
        if row.state is AdoptionState.shown
        and not row.author.is_blocked
        and row.author.kind != actors.TOMBSTONE
    ]
    return replace(output, adopters=(*listed, *announced)[:MAX_ITEMS])
