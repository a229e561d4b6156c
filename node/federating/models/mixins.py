"""What the rows of the federation share."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import String
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from node.db import now
from node.errors import ConflictError
from node.messages import msg

Uri = String(2000)


class StateMixin:
    """A row whose `state` moves only as its table `STATES` says."""

    STATES: ClassVar[Mapping[str, frozenset[str]]]
    state: Mapped[str]

    def move_to(self, state: str) -> None:
        """Raises `ConflictError` for a move that the table does not have."""
        if state not in self.STATES[self.state]:
            raise ConflictError(msg("You can no longer do this."))
        self.state = state


class QueueMixin(StateMixin):
    """What every row of a queue has. `WAITING` is the state in which the job `JOB` takes it up.

    The column `REASON`, if there is one, says why the last attempt failed. After a failure a row
    waits for `FIRST_DELAY`, each time twice as long, and is given up after `MAX_ATTEMPTS`.
    """

    JOB: ClassVar[str]
    WAITING: ClassVar[str]
    REASON: ClassVar[str] = "outcome"
    FIRST_DELAY: ClassVar[timedelta] = timedelta(seconds=2)
    MAX_ATTEMPTS: ClassVar[int] = 8

    id: Mapped[int] = mapped_column(primary_key=True)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=now)
    leased_until: Mapped[datetime | None]

    @declared_attr
    def state(cls) -> Mapped[str]:  # noqa: N805 -- SQLAlchemy calls it with the class
        return mapped_column(String(20), default=cls.WAITING)
