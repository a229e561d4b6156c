"""Mixins of tables: states and queues."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import String
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from federation.retry import RetryPolicy
from node.database.tables import now
from node.errors import ConflictError
from node.messages import msg


class StateMixin:
    """A row whose `state` changes only along the transitions in `STATES`."""

    STATES: ClassVar[Mapping[str, frozenset[str]]]
    state: Mapped[str]

    def move_to(self, state: str) -> None:
        """Raises `ConflictError` for a transition that `STATES` does not allow."""
        if state not in self.STATES[self.state]:
            raise ConflictError(msg("You can no longer do this."))
        self.state = state


class QueueMixin(StateMixin):
    """The columns of every queue. The job `JOB` takes rows in the state `WAITING_STATE`.

    `REASON_COLUMN` names the column for the last error, if there is one. `RETRY` is for rows whose
    processing raises.
    """

    JOB: ClassVar[str]
    WAITING_STATE: ClassVar[str]
    REASON_COLUMN: ClassVar[str] = "outcome"
    RETRY: ClassVar[RetryPolicy] = RetryPolicy(timedelta(seconds=2), max_attempts=8)

    id: Mapped[int] = mapped_column(primary_key=True)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=now)
    leased_until: Mapped[datetime | None]

    @declared_attr
    def state(cls) -> Mapped[str]:  # noqa: N805 -- SQLAlchemy calls it with the class
        return mapped_column(String(20), default=cls.WAITING_STATE)
