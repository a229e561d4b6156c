"""What the projects of a council come to, for comparison between nodes: rows of `Bucket`.

A change of a project empties its bucket, in the same transaction; whoever needs the bucket next
makes it anew. A bucket that was emptied again meanwhile stays empty, so that nothing can drift.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, Row, event, inspect, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapper, Session

from federation.digest import BUCKETS, EMPTY, BucketDigest, combine, entry
from node.projects.models import Bucket, Project, State, Visibility
from node.runtime import Node

log = structlog.get_logger(__name__)

# Whom a digest is for, and what they may see.
AUDIENCES = {
    Visibility.public: (Visibility.public,),
    Visibility.peers: (Visibility.public, Visibility.peers),
}
# What of a project a digest depends on.
COMPARED = ("revision", "state", "visibility")


@dataclass(frozen=True)
class Summed:
    """One bucket for both audiences. `generation` is None where it has no row yet."""

    number: int
    generation: int | None
    digests: dict[Visibility, BucketDigest]


def touch(session: Session | Connection, council_id: int, numbers: Iterable[int]) -> None:
    """Projects in these buckets of a council have changed."""
    rows = [{"council_id": council_id, "number": number} for number in sorted(set(numbers))]
    if not rows:
        return
    empty = {f"{audience}_{what}": None for audience in AUDIENCES for what in ("count", "digest")}
    connection = session if isinstance(session, Connection) else session.connection()
    upsert = _insert(connection).on_conflict_do_update(
        index_elements=["council_id", "number"],
        set_={"generation": Bucket.__table__.c.generation + 1, **empty},
    )
    connection.execute(upsert, [{**row, "generation": 1} for row in rows])


def buckets(node: Node, council_id: int, audience: Visibility) -> tuple[BucketDigest, ...]:
    """The buckets of a council that are not empty, by number, as far as `audience` may see."""
    with node.reading() as session:
        known = {row.number: row for row in session.execute(_rows(council_id))}
        stale = [n for n in range(BUCKETS) if n not in known or known[n].public_digest is None]
        made = _make(session, council_id, stale, known) if stale else []
    if made:
        _keep(node, council_id, made)
    found = {row.number: _digest(row, audience) for row in known.values() if row.public_digest}
    found |= {summed.number: summed.digests[audience] for summed in made}
    return tuple(found[number] for number in sorted(found) if found[number].count)


def entries(session: Session, council_id: int, number: int, audience: Visibility) -> dict[str, str]:
    """The ids of the projects in one bucket, and their revisions."""
    query = _compared(council_id).where(Project.bucket == number)
    shown = Project.visibility.in_(AUDIENCES[audience])
    return {row.uri: row.revision for row in session.execute(query.where(shown))}


def _compared(council_id: int):  # type: ignore[no-untyped-def]  # a Select of four columns
    return (
        select(Project.uri, Project.revision, Project.bucket, Project.visibility)
        .where(Project.council_id == council_id, Project.state == State.published)
        .order_by(Project.uri)
    )


def _rows(council_id: int):  # type: ignore[no-untyped-def]  # a Select of the columns of Bucket
    return select(*Bucket.__table__.c).where(Bucket.council_id == council_id)


def _digest(row: "Row[tuple[object, ...]]", audience: Visibility) -> BucketDigest:
    count, digest = getattr(row, f"{audience}_count"), getattr(row, f"{audience}_digest")
    return BucketDigest(row.number, count, digest)


def _make(
    session: Session,
    council_id: int,
    numbers: list[int],
    known: "dict[int, Row[tuple[object, ...]]]",
) -> list[Summed]:
    """Sum buckets up from the projects. Their generations were read before: what changes from now
    on shows in them.
    """
    query = _compared(council_id).order_by(None)
    if len(numbers) < BUCKETS // 2:
        query = query.where(Project.bucket.in_(numbers))
    held: dict[int, list[tuple[int, Visibility]]] = {number: [] for number in numbers}
    for uri, revision, number, visibility in session.execute(query):
        if number in held:
            held[number].append((entry(uri, revision), visibility))
    return [
        Summed(
            number,
            known[number].generation if number in known else None,
            {audience: _sum(number, held[number], audience) for audience in AUDIENCES},
        )
        for number in numbers
    ]


def _sum(number: int, held: list[tuple[int, Visibility]], audience: Visibility) -> BucketDigest:
    seen = [one for one, visibility in held if visibility in AUDIENCES[audience]]
    return BucketDigest(number, len(seen), combine(seen) if seen else EMPTY)


def _keep(node: Node, council_id: int, made: list[Summed]) -> None:
    """Keep what was summed up, except where something changed since. That it is kept saves work,
    no more, so a busy database is left alone.
    """
    values = {
        (summed.number, summed.generation): {
            f"{audience}_{what}": getattr(digest, what)
            for audience, digest in summed.digests.items()
            for what in ("count", "digest")
        }
        for summed in made
    }
    fresh = [
        {"council_id": council_id, "number": number, "generation": 0, **found}
        for (number, generation), found in values.items()
        if generation is None
    ]
    try:
        with node.work(by="digests") as work:
            connection = work.session.connection()
            if fresh:
                connection.execute(_insert(connection).on_conflict_do_nothing(), fresh)
            for (number, generation), found in values.items():
                if generation is not None:
                    seen = (
                        Bucket.council_id == council_id,
                        Bucket.number == number,
                        Bucket.generation == generation,
                    )
                    work.session.execute(update(Bucket).where(*seen).values(**found))
    except OperationalError:
        log.info("digests were not kept", council=council_id)


def _insert(connection: Connection) -> "sqlite.Insert | postgresql.Insert":
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return insert(Bucket.__table__)  # type: ignore[arg-type]  # a Table, of which mypy is not sure


@event.listens_for(Project, "after_insert")
@event.listens_for(Project, "after_delete")
def _came_or_went(_mapper: "Mapper[Project]", connection: Connection, project: Project) -> None:
    touch(connection, project.council_id, [project.bucket])


@event.listens_for(Project, "after_update")
def _changed(_mapper: "Mapper[Project]", connection: Connection, project: Project) -> None:
    state = inspect(project)
    if any(state.attrs[name].history.has_changes() for name in COMPARED):
        touch(connection, project.council_id, [project.bucket])
