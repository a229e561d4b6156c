"""What changes a project empties its bucket of the council's digest, in the same transaction.

Whoever needs the bucket next makes it anew (`node.sync.digests`).
"""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, event, inspect, select, update
from sqlalchemy.orm import Mapper, Session

from node.db import insert_into
from node.projects.models import DigestBucket, Project

# What of a project a digest depends on.
DIGEST_COLUMNS = ("revision", "state", "visibility")
CACHED_COLUMNS = ("public_count", "public_digest", "peers_count", "peers_digest")

INVALIDATED_VALUES = {"generation": DigestBucket.generation + 1, **dict.fromkeys(CACHED_COLUMNS)}
# Locked in this order, so that nobody waits in a circle.
_CHANGED_BUCKETS = (
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
    .where(DigestBucket.id.in_(_CHANGED_BUCKETS))
    .values(INVALIDATED_VALUES)
    .returning(DigestBucket.number)
)


def invalidate(session: Session | Connection, council_id: int, numbers: Iterable[int]) -> None:
    """What is in these buckets of a council has changed."""
    wanted = sorted(set(numbers))
    connection = session if isinstance(session, Connection) else session.connection()
    known = set(connection.scalars(INVALIDATE_BUCKETS, {"council": council_id, "numbers": wanted}))
    new = [
        {"council_id": council_id, "number": n, "generation": 1} for n in wanted if n not in known
    ]
    if new:
        upsert = insert_into(connection, DigestBucket).on_conflict_do_update(
            index_elements=["council_id", "number"], set_=INVALIDATED_VALUES
        )
        connection.execute(upsert, new)


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
