"""Compares our copy of a council's data with the council's own, and repairs it (anti-entropy).

If nothing differs, that takes one conditional request. Otherwise the differing buckets are fetched,
and then each differing project and update at its own id. If much is missing, everything is read
again page by page. Plugin documents follow, type by type. Nothing is removed before its origin was
asked about it.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial

from sqlalchemy import select

from federation.council_digest import (
    TYPES_HEADER,
    BucketDigest,
    BucketDocument,
    CouncilDigest,
    combine,
    parse_types,
)
from federation.errors import DocumentError, FederationError
from federation.followers import HEADER_NAME
from node.access.audiences import PEERS
from node.councils.models import Council
from node.database.tables import now
from node.errors import MoothallError
from node.federating.identity import actors
from node.federating.models import Actor, Comparison
from node.federating.peers import comparison_schedule, fetching
from node.federating.sync import backfill, follower_sync
from node.principal import Principal
from node.queue import leases
from node.runtime import Node
from node.sync import digests, plugin_documents
from node.sync.repair import ComparisonTarget, ReconcileReport, Repair, create_fetch_pool
from node.text import one_line

# Councils compared at the same time.
CONCURRENT_COMPARISONS = 4
# Documents fetched by one comparison: this many, or a fiftieth of a large council. If more are
# missing, reading pages is quicker.
MIN_FETCH_LIMIT = 500
FETCH_LIMIT_DIVISOR = 50
# Buckets fetched ahead.
PREFETCHED_BUCKETS = 16
# Possibly deleted objects that one comparison asks for; the next one continues.
MAX_REMOVAL_CHECKS = 2_000
# How long a comparison waits for a backfill to end.
BACKFILL_WAIT = timedelta(minutes=1)


@leases.wakes_for_next(Comparison)
def run_job(node: Node) -> None:
    """The job: compare with every council that is due."""
    with node.work(by=Principal.job(Comparison.JOB)) as work:
        comparison_schedule.schedule_for_followed(work.session)
    leases.process_queue(
        node, Comparison, partial(compare, node), concurrency=CONCURRENT_COMPARISONS
    )


def compare(node: Node, leased: leases.Lease) -> None:
    """Run one comparison and schedule the next."""
    report = ReconcileReport()
    target = _load_target(node, leased.id)
    if target is None:
        return
    try:
        _compare_with_target(node, target, report)
    except (MoothallError, FederationError) as error:
        report.messages.append(str(error))
    _record_report(node, leased, target, report)


def _load_target(node: Node, row_id: int) -> ComparisonTarget | None:
    """The council to compare with; None if it is not followed, or its backfill is running."""
    with node.work(by=Principal.job(Comparison.JOB)) as work:
        row = work.session.get_one(Comparison, row_id)
        is_followed = backfill.is_followed(work.session, row.actor)
        council_id = work.session.scalar(select(Council.id).where(Council.actor_id == row.actor_id))
        if row.followers_url is None and (not is_followed or council_id is None):
            work.session.delete(row)
            return None
        if backfill.is_running(work.session, row.actor):
            row.due_at, row.leased_until = now() + BACKFILL_WAIT, None
            return None
        return ComparisonTarget(
            row_id=row.id,
            actor_id=row.actor_id,
            actor_uri=row.actor.uri,
            council_id=council_id if is_followed else None,
            digest_url=row.actor.digest,
            followers_url=row.followers_url,
        )


def _compare_with_target(node: Node, target: ComparisonTarget, report: ReconcileReport) -> None:
    _reconcile_followers(node, target, target.followers_url, report)
    digest_url = target.digest_url or _fetch_digest_url(node, target)
    if target.council_id is None or digest_url is None:
        report.messages.append("there is nothing to compare")
        report.is_skipped = True
        return
    our_buckets = digests.get_buckets(node, target.council_id, PEERS)
    root = combine(int(bucket.digest, 16) for bucket in our_buckets)
    response = fetching.fetch_if_changed(node, digest_url, f'"{root}"')
    with node.reading() as session:
        actor = session.get_one(Actor, target.actor_id)
        url = follower_sync.find_mismatch_url(
            session, actor, response.headers.get(HEADER_NAME.lower())
        )
    _reconcile_followers(node, target, url, report)
    types = parse_types(response.headers.get(TYPES_HEADER.lower()))
    report.is_in_sync = response.document is None
    if response.document is not None:
        theirs = CouncilDigest.parse(response.document)
        if (theirs.id, theirs.council) != (digest_url, target.actor_uri):
            raise DocumentError("attributedTo", "belongs to another council")
        report.is_in_sync = theirs.digest == root
        if not report.is_in_sync:
            _repair(node, target, our_buckets, theirs, report)
    if not report.restarts_backfill:
        report.is_in_sync &= plugin_documents.reconcile(node, target, digest_url, types, report)


def _repair(
    node: Node,
    target: ComparisonTarget,
    our_buckets: tuple[BucketDigest, ...],
    theirs: CouncilDigest,
    report: ReconcileReport,
) -> None:
    """Find what differs and fetch each object from its origin; if too much differs, restart the
    backfill.
    """
    fetch_limit = max(MIN_FETCH_LIMIT, theirs.count // FETCH_LIMIT_DIVISOR)
    repair = Repair(node, target, report)
    ours_by_number, theirs_by_number = (
        {bucket.number: bucket for bucket in buckets} for buckets in (our_buckets, theirs.buckets)
    )
    differing = sorted(
        number
        for number in ours_by_number.keys() | theirs_by_number.keys()
        if ours_by_number.get(number) != theirs_by_number.get(number)
    )
    missing = sum(
        max(
            0,
            theirs_by_number[number].count
            - (ours_by_number[number].count if number in ours_by_number else 0),
        )
        for number in differing
        if number in theirs_by_number
    )
    outdated: list[str] = []
    unlisted: list[str] = []
    for number, listed in _iter_bucket_entries(
        node, theirs, differing if missing <= fetch_limit else ()
    ):
        with node.reading() as session:
            held = repair.list_stored_revisions(session, number)
        outdated += [uri for uri, revision in listed.items() if held.get(uri) != revision]
        unlisted += [uri for uri in held if uri not in listed]
        repair.renew_lease()
        if len(outdated) > fetch_limit or repair.is_time_up:
            break
    report.difference_count = max(missing, len(outdated)) + len(unlisted)
    if max(missing, len(outdated)) > fetch_limit:
        report.messages.append(f"{report.difference_count} differ: reading everything again")
        _restart_backfill(node, target, report)
        return
    repair.run(outdated, unlisted[:MAX_REMOVAL_CHECKS])


def _iter_bucket_entries(
    node: Node, theirs: CouncilDigest, numbers: Sequence[int]
) -> Iterator[tuple[int, dict[str, str]]]:
    """The council's entries of each bucket, fetched ahead."""
    with create_fetch_pool() as pool:
        for start in range(0, len(numbers), PREFETCHED_BUCKETS):
            batch = numbers[start : start + PREFETCHED_BUCKETS]
            yield from zip(
                batch, pool.map(partial(_fetch_bucket, node, theirs), batch), strict=True
            )


def _fetch_bucket(node: Node, theirs: CouncilDigest, number: int) -> dict[str, str]:
    """The council's revisions in one bucket, by id."""
    if all(bucket.number != number for bucket in theirs.buckets):
        return {}
    bucket = BucketDocument.parse(fetching.fetch_document(node, theirs.bucket_id(number)))
    if (bucket.part_of, bucket.number) != (theirs.id, number):
        raise DocumentError("partOf", "belongs to another digest")
    return dict(bucket.entries)


def _restart_backfill(node: Node, target: ComparisonTarget, report: ReconcileReport) -> None:
    with node.work(by=Principal.job(Comparison.JOB)) as work:
        backfill.start(work, work.session.get_one(Actor, target.actor_id))
    report.restarts_backfill = True


def _reconcile_followers(
    node: Node, target: ComparisonTarget, url: str | None, report: ReconcileReport
) -> None:
    """Compare followers, if the lists differ. A list that cannot be fetched stops nothing else."""
    if url is None:
        return
    try:
        changes = follower_sync.reconcile(node, target.actor_id, url)
    except (MoothallError, FederationError) as error:
        changes = f"the followers could not be compared: {error}"
    if changes:
        report.messages.append(changes)


def _fetch_digest_url(node: Node, target: ComparisonTarget) -> str | None:
    """The council's digest URL from its current actor document, as it may be new."""
    if target.council_id is None:
        return None
    document = fetching.fetch_actor(node, target.actor_uri)
    with node.work(by=Principal.job(Comparison.JOB)) as work:
        return actors.upsert(work.session, document).digest


def _record_report(
    node: Node, leased: leases.Lease, target: ComparisonTarget, report: ReconcileReport
) -> None:
    """Store the result, and when to compare next. A request to compare meanwhile takes effect at
    once.
    """
    with node.work(by=Principal.job(Comparison.JOB)) as work:
        row = work.session.get(Comparison, leased.id, with_for_update={"of": Comparison})
        if row is None:  # no longer followed
            return
        if row.followers_url == target.followers_url:
            row.followers_url = None
        row.compared_at, row.leased_until = now(), None
        row.different, row.fetched, row.removed = (
            report.difference_count,
            report.fetched_count,
            report.removed_count,
        )
        row.attempts += 1
        delay = _next_delay(row, report)
        if report.is_in_sync:
            row.agreed_at = row.compared_at
        if delay is None:
            hours = work.settings.compare_hours * random.uniform(0.9, 1.1)  # noqa: S311 -- spreads
            delay, row.attempts = timedelta(hours=hours), 0
        is_requested = row.due_at != leased.due_at
        if is_requested:
            delay, row.attempts = timedelta(), 0
        else:
            row.due_at = now() + delay
        row.outcome = one_line("; ".join(report.messages), 500)
        if report.fetched_count:
            work.wake(backfill.CONVERSATIONS_JOB)
        if delay < leases.SWEEP_INTERVAL:
            work.wake(Comparison.JOB, delay)


def _next_delay(row: Comparison, report: ReconcileReport) -> timedelta | None:
    """The delay until the next comparison; None for the usual interval, also once
    `RETRY` is exhausted.
    """
    if report.is_in_sync or report.is_skipped or report.restarts_backfill:
        return None
    if Comparison.RETRY.is_exhausted(row.attempts):
        report.messages.append(f"still different after {row.attempts} comparisons")
        return None
    if report.fetched_count or report.removed_count:
        return timedelta()
    return Comparison.RETRY.delay(row.attempts)
