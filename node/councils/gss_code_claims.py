"""GSS codes claimed by more than one council. Claims are unverified: any actor can make one."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node.councils.models import Council
from node.federating.models import Actor


@dataclass(frozen=True)
class GssCodeDispute:
    """A GSS code and the councils that claim it, sorted by name."""

    code: str
    councils: Sequence[Council]

    @property
    def named(self) -> str:
        """The name and host of each council, separated by commas."""
        return ", ".join(f"{council.name} ({council.actor.host})" for council in self.councils)


def find_disputes(session: Session) -> list[GssCodeDispute]:
    """The codes that several councils claim, our own included.

    Blocked councils do not count, nor do those that have moved, since their successor takes over
    the code.
    """
    is_active = ~Actor.is_blocked, Actor.moved_to.is_(None)
    disputed_codes = (
        select(Council.gss_code)
        .join(Council.actor)
        .where(Council.gss_code.is_not(None), *is_active)
        .group_by(Council.gss_code)
        .having(func.count() > 1)
    )
    query = (
        select(Council).join(Council.actor).where(Council.gss_code.in_(disputed_codes), *is_active)
    )
    councils_by_code: dict[str, list[Council]] = defaultdict(list)
    for council in session.scalars(query.order_by(Council.gss_code, Council.name, Council.id)):
        councils_by_code[council.gss_code or ""].append(council)
    return [GssCodeDispute(code, councils) for code, councils in councils_by_code.items()]
