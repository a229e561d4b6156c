"""GSS codes that more than one council claims: anybody can write one into an actor's document."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node.councils.models import Council
from node.federating.models import Actor


@dataclass(frozen=True)
class GssCodeDispute:
    """A code, and the councils that claim it, by name."""

    code: str
    councils: Sequence[Council]

    @property
    def named(self) -> str:
        """Each council with the domain from which it claims the code."""
        return ", ".join(f"{each.name} ({each.actor.host})" for each in self.councils)


def find_disputes(session: Session) -> list[GssCodeDispute]:
    """The codes that several councils claim, ours or others; not those that moved or are blocked,
    since a council that moved and its successor are one.
    """
    heard = ~Actor.is_blocked, Actor.moved_to.is_(None)
    several = (
        select(Council.gss_code)
        .join(Council.actor)
        .where(Council.gss_code.is_not(None), *heard)
        .group_by(Council.gss_code)
        .having(func.count() > 1)
    )
    query = select(Council).join(Council.actor).where(Council.gss_code.in_(several), *heard)
    found: dict[str, list[Council]] = defaultdict(list)
    for council in session.scalars(query.order_by(Council.gss_code, Council.name, Council.id)):
        found[council.gss_code or ""].append(council)
    return [GssCodeDispute(code, councils) for code, councils in found.items()]
