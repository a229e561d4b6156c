"""What of that which a council's node tells of its own is to be written, and what is left out.

What it sends may be overtaken by something newer; what we ask for at its origin is the truth.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from federation.origin import same_origin
from node.councils.models import Council
from node.db import now
from node.federating import comparisons
from node.federating.models import RemoteTombstone
from node.runtime import UnitOfWork

OLDER_REASON = "older than the version already here"
# Clocks of two servers that are right differ by less.
CLOCK_TOLERANCE = timedelta(minutes=1)
SELECT_TOMBSTONES = select(RemoteTombstone.uri, RemoteTombstone.at).where(
    RemoteTombstone.uri.in_(bindparam("uris", expanding=True)),
    RemoteTombstone.actor_id == bindparam("actor_id"),
)


class RemoteState(Protocol):
    """What the node of the council `council_uri` says that `uri` is."""

    @property
    def uri(self) -> str: ...
    @property
    def council_uri(self) -> str: ...
    @property
    def revision(self) -> str: ...
    @property
    def changed_at(self) -> datetime | None: ...


RemoteT = TypeVar("RemoteT", bound=RemoteState)


def select_applicable(
    work: UnitOfWork,
    council: Council,
    told: Sequence[RemoteT],
    known: Mapping[str, Any],
    reject_reason: Callable[[RemoteT, Any], str],
    asked_at: datetime | None,
) -> tuple[list[RemoteT], dict[str, str]]:
    """Those to be written, and those left out with the reason; neither: it is known already.

    `known` has the rows that there are by id, with `state`, `revision` and `changed_at`; `misfit`
    says of one and its row, if there is one, why it does not fit, or nothing. `asked_at`: it was
    asked for at its origin, then; it may be older than what we know, and takes back a deletion
    that we heard of before. None: it was sent to us.
    """
    marks = _load_tombstones(work.session, council, [one.uri for one in told])
    fitting, left_out, wrongly = [], {}, []
    for one in told:
        there, deleted_at = known.get(one.uri), marks.get(one.uri)
        if not same_origin(one.uri, one.council_uri) or one.council_uri != council.actor.uri:
            left_out[one.uri] = "of somebody else"
        elif deleted_at is not None and (asked_at is None or deleted_at >= asked_at):
            left_out[one.uri] = "it was deleted"
        elif (
            asked_at is None and there is not None and effective_changed_at(one) < there.changed_at
        ):
            left_out[one.uri] = OLDER_REASON
        elif why := reject_reason(one, there):
            left_out[one.uri] = why
        else:
            if deleted_at is not None:
                wrongly.append(one.uri)
            if not _is_current(one, there):
                fitting.append(one)
    if wrongly:
        mark = RemoteTombstone.uri.in_(wrongly), RemoteTombstone.actor_id == council.actor_id
        work.session.execute(delete(RemoteTombstone).where(*mark))
    if asked_at is None and _needs_comparison(told, known, marks, left_out):
        comparisons.compare_soon(work, council.actor_id)
    elif asked_at is None and set(marks) & set(left_out):
        comparisons.compare_unless_recent(work, council.actor_id)
    return fitting, left_out


def _needs_comparison(
    told: Sequence[RemoteT],
    known: Mapping[str, Any],
    marks: Mapping[str, datetime],
    left_out: Mapping[str, str],
) -> bool:
    """Whether only the origin can say what is newer: it sent something else than we show after a
    newer state or with a time that lies ahead, since one of the clocks was wrong; or it changed
    since what it deleted, and may have taken that back.
    """
    for one in told:
        is_late = left_out.get(one.uri) == OLDER_REASON or _is_ahead(one)
        if is_late and _differs(one, known.get(one.uri)):
            return True
        is_back = one.changed_at and one.changed_at > marks.get(one.uri, now())
        if is_back and set(marks) & set(left_out):
            return True
    return False


def effective_changed_at(told: RemoteState) -> datetime:
    """When it was changed last: not later than now, whatever its node says."""
    moment = now()
    return min(told.changed_at or moment, moment)


def _load_tombstones(session: Session, council: Council, uris: list[str]) -> dict[str, datetime]:
    """When the council said of which of these that it deleted them."""
    mine = {"uris": uris, "actor_id": council.actor_id}
    return {row.uri: row.at for row in session.execute(SELECT_TOMBSTONES, mine)}


def _is_ahead(told: RemoteState) -> bool:
    """Whether it was changed in the future: then its time says nothing about what is newer."""
    return told.changed_at is not None and told.changed_at > now() + CLOCK_TOLERANCE


def _differs(told: RemoteState, there: Any) -> bool:
    """Whether we show another state of it."""
    return there is not None and there.state == "published" and not _is_current(told, there)


def _is_current(told: RemoteState, there: Any) -> bool:
    """Whether what we hold is this very state of it."""
    is_shown = there is not None and there.state == "published"
    return is_shown and bool(told.revision) and there.revision == told.revision
