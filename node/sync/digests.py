"""Computes and caches the digests of a council's projects and updates that nodes compare: rows of
`DigestBucket`.

A change of an object empties its bucket in the same transaction; the next reader computes it again.
A computed digest is stored only if the bucket's generation is unchanged since it was read, so the
cache cannot drift.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import CompoundSelect, Row, select, union_all, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from federation.council_digest import BUCKET_COUNT, EMPTY_DIGEST, BucketDigest, combine, hash_entry
from node.access.audiences import PEERS, PUBLIC, Audience
from node.access.visibility import Visibility, is_for, resource_of
from node.councils.models import Council
from node.database.tables import insert_missing
from node.principal import Principal
from node.projects.models import DigestBucket, Project, ProjectState
from node.runtime import Node
from node.updates.models import Update, UpdateState

log = structlog.get_logger(__name__)

# The visibilities that are included in the digest for each audience.
VISIBILITIES_BY_AUDIENCE: dict[Audience, list[Visibility]] = {
    audience: [value for value in Visibility if is_for(audience, resource_of(value))]
    for audience in (PUBLIC, PEERS)
}


@dataclass(frozen=True)
class ComputedBucket:
    """A bucket for both audiences. `generation` is None if it has no row yet."""

    number: int
    generation: int | None
    digests: dict[Audience, BucketDigest]


def get_buckets(node: Node, council_id: int, audience: Audience) -> tuple[BucketDigest, ...]:
    """The non-empty buckets of a council, by number, as `audience` may see them."""
    with node.reading() as session:
        stored = {row.number: row for row in session.execute(_select_buckets(council_id))}
        stale = [
            number
            for number in range(BUCKET_COUNT)
            if number not in stored or stored[number].public_digest is None
        ]
        computed = _compute(session, council_id, stale, stored) if stale else []
    if computed:
        _save(node, council_id, computed)
    digests = {
        row.number: _to_digest(row, audience) for row in stored.values() if row.public_digest
    }
    digests |= {bucket.number: bucket.digests[audience] for bucket in computed}
    return tuple(digests[number] for number in sorted(digests) if digests[number].count)


def list_entries(
    session: Session, council_id: int, bucket_number: int, audience: Audience
) -> dict[str, str]:
    """The revisions in one bucket, by id, as `audience` may see them."""
    rows = session.execute(_select_revisions(council_id, [bucket_number]))
    visible = VISIBILITIES_BY_AUDIENCE[audience]
    return dict(sorted((row.uri, row.revision) for row in rows if row.visibility in visible))


def _select_revisions(council_id: int, numbers: Collection[int]) -> CompoundSelect[Any]:
    """The published projects and updates in these buckets."""
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
    if len(numbers) < BUCKET_COUNT // 2:
        projects = projects.where(Project.bucket.in_(numbers))
        updates = updates.where(Update.bucket.in_(numbers))
    return union_all(projects, updates)


def _select_buckets(council_id: int):  # type: ignore[no-untyped-def]  # a Select of the columns of Bucket
    return select(*DigestBucket.__table__.c).where(DigestBucket.council_id == council_id)


def _to_digest(row: "Row[tuple[object, ...]]", audience: Audience) -> BucketDigest:
    count, digest = getattr(row, f"{audience}_count"), getattr(row, f"{audience}_digest")
    return BucketDigest(row.number, count, digest)


def _compute(
    session: Session,
    council_id: int,
    numbers: list[int],
    stored: "dict[int, Row[tuple[object, ...]]]",
) -> list[ComputedBucket]:
    """Compute buckets. Generations were read before, so a change from now on makes them differ."""
    query = _select_revisions(council_id, numbers)
    hashes: dict[int, list[tuple[int, Visibility]]] = {number: [] for number in numbers}
    for uri, revision, number, visibility in session.execute(query):
        if number in hashes:
            hashes[number].append((hash_entry(uri, revision), visibility))
    return [
        ComputedBucket(
            number,
            stored[number].generation if number in stored else None,
            {
                audience: _combine(number, hashes[number], audience)
                for audience in VISIBILITIES_BY_AUDIENCE
            },
        )
        for number in numbers
    ]


def _combine(
    number: int, entries: list[tuple[int, Visibility]], audience: Audience
) -> BucketDigest:
    hashes = [
        entry_hash
        for entry_hash, visibility in entries
        if visibility in VISIBILITIES_BY_AUDIENCE[audience]
    ]
    return BucketDigest(number, len(hashes), combine(hashes) if hashes else EMPTY_DIGEST)


def _save(node: Node, council_id: int, computed: list[ComputedBucket]) -> None:
    """Store computed buckets whose generation is unchanged. They are only a cache, so a busy
    database is not retried.
    """
    values = {
        (bucket.number, bucket.generation): {
            f"{audience}_{field}": getattr(digest, field)
            for audience, digest in bucket.digests.items()
            for field in ("count", "digest")
        }
        for bucket in computed
    }
    new_rows = [
        {"council_id": council_id, "number": number, "generation": 0, **columns}
        for (number, generation), columns in values.items()
        if generation is None
    ]
    try:
        with node.work(by=Principal.job("digests")) as work:
            if new_rows:
                insert_missing(work.session.connection(), DigestBucket, new_rows)
            for (number, generation), columns in values.items():
                if generation is not None:
                    is_unchanged = (
                        DigestBucket.council_id == council_id,
                        DigestBucket.number == number,
                        DigestBucket.generation == generation,
                    )
                    work.session.execute(
                        update(DigestBucket).where(*is_unchanged).values(**columns)
                    )
    except OperationalError:
        log.info("digests not stored", council=council_id)
