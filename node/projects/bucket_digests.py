"""Invalidates cached bucket digests in the transaction that changes a project.

`node.sync.digests` computes them again when they are next needed.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, event, inspect, select, update
from sqlalchemy.orm import Mapper, Session

from node.database.tables import insert_into
from node.projects.models import DigestBucket, Project

# Columns of a project that a digest is computed from.
DIGEST_COLUMNS = ("revision", "state", "visibility")
CACHED_COLUMNS = ("public_count", "public_digest", "peers_count", "peers_digest")

INVALIDATED_VALUES = {"generation": DigestBucket.generation + 1, **dict.fromkeys(CACHED_COLUMNS)}
# Locked in the order of their numbers, so that transactions cannot deadlock.
_SELECT_CHANGED_BUCKETS = (
    select(DigestBucket.id)
    .where(
        DigestBucket.council_id == bindparam("council"),
        DigestBucket.number.in_(bindparam("numbers", expanding=True)),
    )
    .order_by(DigestBucket.number)
    .with_for_update()
)
INVALIDATE_BUCKETS = (
    update(DigestBucket)
    .where(DigestBucket.id.in_(_SELECT_CHANGED_BUCKETS))
    .values(INVALIDATED_VALUES)
    .returning(DigestBucket.number)
)


def invalidate(session: Session | Connection, council_id: int, numbers: Iterable[int]) -> None:
    """Invalidate the cached digests of these buckets of a council and raise their generations."""
    bucket_numbers = sorted(set(numbers))
    connection = session if isinstance(session, Connection) else session.connection()
    known = set(
        connection.scalars(INVALIDATE_BUCKETS, {"council": council_id, "numbers": bucket_numbers})
    )
    missing = [
        {"council_id": council_id, "number": number, "generation": 1}
        for number in bucket_numbers
        if number not in known
    ]
    if missing:
        upsert = insert_into(connection, DigestBucket).on_conflict_do_update(
            index_elements=["council_id", "number"], set_=INVALIDATED_VALUES
        )
        connection.execute(upsert, missing)


@event.listens_for(Project, "after_insert")
@event.listens_for(Project, "after_delete")
def _on_insert_or_delete(
    _mapper: "Mapper[Project]", connection: Connection, project: Project
) -> None:
    invalidate(connection, project.council_id, [project.bucket])


@event.listens_for(Project, "after_update")
def _on_update(_mapper: "Mapper[Project]", connection: Connection, project: Project) -> None:
    state = inspect(project)
    if any(state.attrs[name].history.has_changes() for name in DIGEST_COLUMNS):
        invalidate(connection, project.council_id, [project.bucket])
