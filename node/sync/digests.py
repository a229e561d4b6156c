"""What the projects of a council and their updates come to, for comparison between nodes: rows of
`Bucket`.

What changes one of them empties its bucket, in the same transaction; whoever needs the bucket next
makes it anew. A bucket that was emptied again meanwhile stays empty, so that nothing can drift.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import CompoundSelect, Row, select, union_all, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from federation.digest import BUCKETS, EMPTY_DIGEST, BucketDigest, combine, hash_entry
from node.councils.models import Council
from node.db import insert_missing
from node.projects.models import DigestBucket, Project, ProjectState, Visibility
from node.runtime import Node
from node.updates.models import Update, UpdateState

log = structlog.get_logger(__name__)

# Whom a digest is for, and what they may see.
AUDIENCES = {
    Visibility.public: (Visibility.public,),
    Visibility.peers: (Visibility.public, Visibility.peers),
}


@dataclass(frozen=True)
class ComputedBucket:
    """One bucket for both audiences. `generation` is None where it has no row yet."""

    number: int
    generation: int | None
    digests: dict[Visibility, BucketDigest]


def get_buckets(node: Node, council_id: int, audience: Visibility) -> tuple[BucketDigest, ...]:
    """The buckets of a council that are not empty, by number, as far as `audience` may see."""
    with node.reading() as session:
        known = {row.number: row for row in session.execute(_select_buckets(council_id))}
        stale = [n for n in range(BUCKETS) if n not in known or known[n].public_digest is None]
        made = _compute(session, council_id, stale, known) if stale else []
    if made:
        _save(node, council_id, made)
    found = {row.number: _to_digest(row, audience) for row in known.values() if row.public_digest}
    found |= {summed.number: summed.digests[audience] for summed in made}
    return tuple(found[number] for number in sorted(found) if found[number].count)


def list_entries(
    session: Session, council_id: int, number: int, audience: Visibility
) -> dict[str, str]:
    """The ids of what is in one bucket, and the revisions."""
    rows = session.execute(_select_compared(council_id, [number]))
    seen = AUDIENCES[audience]
    return dict(sorted((row.uri, row.revision) for row in rows if row.visibility in seen))


def _select_compared(council_id: int, numbers: Collection[int]) -> CompoundSelect[Any]:
    """The projects and updates that are published, in these buckets."""
    projects = select(Project.uri, Project.revision, Project.bucket, Project.visibility).where(
        Project.council_id == council_id, Project.state == ProjectState.published
    )
    council = select(Council.actor_id).where(Council.id == council_id).scalar_subquery()
    updates = (
        select(Update.uri, Update.revision, Update.bucket, Project.visibility)
        .join(Project, Project.id == Update.project_id)
        .where(Update.author_id == council, Update.state == UpdateState.published)
        .where(Project.state == ProjectState.published)
    )
    if len(numbers) < BUCKETS // 2:
        projects = projects.where(Project.bucket.in_(numbers))
        updates = updates.where(Update.bucket.in_(numbers))
    return union_all(projects, updates)


def _select_buckets(council_id: int):  # type: ignore[no-untyped-def]  # a Select of the columns of Bucket
    return select(*DigestBucket.__table__.c).where(DigestBucket.council_id == council_id)


def _to_digest(row: "Row[tuple[object, ...]]", audience: Visibility) -> BucketDigest:
    count, digest = getattr(row, f"{audience}_count"), getattr(row, f"{audience}_digest")
    return BucketDigest(row.number, count, digest)


def _compute(
    session: Session,
    council_id: int,
    numbers: list[int],
    known: "dict[int, Row[tuple[object, ...]]]",
) -> list[ComputedBucket]:
    """Sum buckets up. Their generations were read before: what changes from now on shows in
    them.
    """
    query = _select_compared(council_id, numbers)
    held: dict[int, list[tuple[int, Visibility]]] = {number: [] for number in numbers}
    for uri, revision, number, visibility in session.execute(query):
        if number in held:
            held[number].append((hash_entry(uri, revision), visibility))
    return [
        ComputedBucket(
            number,
            known[number].generation if number in known else None,
            {audience: _combine(number, held[number], audience) for audience in AUDIENCES},
        )
        for number in numbers
    ]


def _combine(number: int, held: list[tuple[int, Visibility]], audience: Visibility) -> BucketDigest:
    seen = [one for one, visibility in held if visibility in AUDIENCES[audience]]
    return BucketDigest(number, len(seen), combine(seen) if seen else EMPTY_DIGEST)


def _save(node: Node, council_id: int, made: list[ComputedBucket]) -> None:
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
            if fresh:
                insert_missing(work.session.connection(), DigestBucket, fresh)
            for (number, generation), found in values.items():
                if generation is not None:
                    seen = (
                        DigestBucket.council_id == council_id,
                        DigestBucket.number == number,
                        DigestBucket.generation == generation,
                    )
                    work.session.execute(update(DigestBucket).where(*seen).values(**found))
    except OperationalError:
        log.info("digests were not kept", council=council_id)
