"""That a council says it uses an output of a project: kept beside the project, not in its text."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Enum, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from node.db import Base, now
from node.federating import actors
from node.federating.models import Actor, Uri
from node.projects.details import MAX_ITEMS, Adopter, Output


class AdoptionState(StrEnum):
    """`held` waits for a moderator; `hidden` was refused by one; `withdrawn`: no longer in use."""

    held = "held"
    shown = "shown"
    hidden = "hidden"
    withdrawn = "withdrawn"


TRANSITIONS: dict[AdoptionState, frozenset[AdoptionState]] = {
    AdoptionState.held: frozenset(
        {AdoptionState.shown, AdoptionState.hidden, AdoptionState.withdrawn}
    ),
    AdoptionState.shown: frozenset({AdoptionState.hidden, AdoptionState.withdrawn}),
    AdoptionState.hidden: frozenset({AdoptionState.shown}),
    AdoptionState.withdrawn: frozenset({AdoptionState.held, AdoptionState.shown}),
}


class Adoption(Base):
    """`author`, the actor of a council, uses the output `output` (its token) of a project.

    `uri` is the id of the `Add` that says so, or of the `Remove` that takes it back. `project` is
    ours, or one of another council that passed it on.
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


def with_adopters(outputs: Sequence[Output], adoptions: Sequence[Adoption]) -> tuple[Output, ...]:
    """Outputs with the councils that say themselves that they use them, and without those that say
    they no longer do.
    """
    return tuple(_with_adopters(output, adoptions) for output in outputs)


def _with_adopters(output: Output, adoptions: Sequence[Adoption]) -> Output:
    mine = [row for row in adoptions if row.output == output.token]
    if not mine:
        return output
    said = {row.author.uri for row in mine}
    named = [each for each in output.adopters if each.uri not in said]
    shown = [
        Adopter(row.author.name, row.author.uri, row.since.date())
        for row in mine
        if row.state is AdoptionState.shown
        and not row.author.is_blocked
        and row.author.kind != actors.TOMBSTONE
    ]
    return replace(output, adopters=(*named, *shown)[:MAX_ITEMS])
