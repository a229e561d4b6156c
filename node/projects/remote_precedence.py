"""Decides which remote documents to apply: rejects deleted, foreign and stale ones.

Documents fetched from their origin override stored state; pushed ones apply only if they are newer.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from federation.origin import same_origin
from node.councils.models import Council
from node.database.tables import now
from node.federating.models import RemoteTombstone
from node.federating.peers import comparison_schedule
from node.runtime import UnitOfWork

OLDER_REASON = "older than the version already here"
# Largest difference between the clocks of two well-kept servers.
CLOCK_TOLERANCE = timedelta(minutes=1)
SELECT_TOMBSTONES = select(RemoteTombstone.uri, RemoteTombstone.at).where(
    RemoteTombstone.uri.in_(bindparam("uris", expanding=True)),
    RemoteTombstone.actor_id == bindparam("actor_id"),
)


class RemoteState(Protocol):
    """A remote object `uri` as stated by the node of the council `council_uri`."""

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
    remote_objects: Sequence[RemoteT],
    known: Mapping[str, Any],
    reject_reason: Callable[[RemoteT, Any], str],
    requested_at: datetime | None,
) -> tuple[list[RemoteT], dict[str, str]]:
    """The remote objects to write, and the ids of the rejected ones with the reason. Current ones
    are in neither.

    `known` has the stored rows by id, with `state`, `revision` and `changed_at`. `reject_reason`
    takes a remote object and its stored row, if any, and returns why it is rejected, or "".
    `requested_at` is when the objects were requested from their origin, None if they were pushed:
    what was requested may be older than the stored state and revokes an earlier deletion.
    """
    tombstones = _load_tombstones(work.session, council, [remote.uri for remote in remote_objects])
    applicable, rejected, revoked = [], {}, []
    for remote in remote_objects:
        stored, deleted_at = known.get(remote.uri), tombstones.get(remote.uri)
        if (
            not same_origin(remote.uri, remote.council_uri)
            or remote.council_uri != council.actor.uri
        ):
            rejected[remote.uri] = "does not belong to the sender"
        elif deleted_at is not None and (requested_at is None or deleted_at >= requested_at):
            rejected[remote.uri] = "deleted by its council"
        elif (
            requested_at is None
            and stored is not None
            and effective_changed_at(remote) < stored.changed_at
        ):
            rejected[remote.uri] = OLDER_REASON
        elif reason := reject_reason(remote, stored):
            rejected[remote.uri] = reason
        else:
            if deleted_at is not None:
                revoked.append(remote.uri)
            if not _is_current(remote, stored):
                applicable.append(remote)
    if revoked:
        is_revoked = RemoteTombstone.uri.in_(revoked), RemoteTombstone.actor_id == council.actor_id
        work.session.execute(delete(RemoteTombstone).where(*is_revoked))
    if requested_at is None and _needs_comparison(remote_objects, known, tombstones, rejected):
        comparison_schedule.compare_soon(work, council.actor_id)
    elif requested_at is None and set(tombstones) & set(rejected):
        comparison_schedule.compare_unless_recent(work, council.actor_id)
    return applicable, rejected


def _needs_comparison(
    remote_objects: Sequence[RemoteT],
    known: Mapping[str, Any],
    tombstones: Mapping[str, datetime],
    rejected: Mapping[str, str],
) -> bool:
    """Whether only the origin can tell which state is newest, so the bucket has to be compared.

    True if it sent another state than the stored one after a newer state or with a time in the
    future, since one of the clocks must be wrong; and if an object changed after its deletion,
    which may have been revoked.
    """
    for remote in remote_objects:
        is_late = rejected.get(remote.uri) == OLDER_REASON or _is_dated_in_future(remote)
        if is_late and _differs(remote, known.get(remote.uri)):
            return True
        may_be_restored = remote.changed_at and remote.changed_at > tombstones.get(
            remote.uri, now()
        )
        if may_be_restored and set(tombstones) & set(rejected):
            return True
    return False


def effective_changed_at(remote: RemoteState) -> datetime:
    """When the object was last changed; not later than now, whatever its node states."""
    current_time = now()
    return min(remote.changed_at or current_time, current_time)


def _load_tombstones(session: Session, council: Council, uris: list[str]) -> dict[str, datetime]:
    """When the council deleted which of these objects, by id."""
    params = {"uris": uris, "actor_id": council.actor_id}
    return {row.uri: row.at for row in session.execute(SELECT_TOMBSTONES, params)}


def _is_dated_in_future(remote: RemoteState) -> bool:
    """Whether the stated time of change is in the future, and so cannot be used for ordering."""
    return remote.changed_at is not None and remote.changed_at > now() + CLOCK_TOLERANCE


def _differs(remote: RemoteState, stored: Any) -> bool:
    """Whether a different state of the object is published here."""
    return stored is not None and stored.state == "published" and not _is_current(remote, stored)


def _is_current(remote: RemoteState, stored: Any) -> bool:
    """Whether the stored state is the same revision."""
    is_published = stored is not None and stored.state == "published"
    return is_published and bool(remote.revision) and stored.revision == remote.revision
