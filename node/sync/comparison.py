"""Finding out whether we hold what another council has, and making it so (anti-entropy).

One small question where nothing differs. Where something does: the buckets in which it does, and of
these the projects and updates themselves, each asked for at its own id. Where much is missing, all
is read again, page by page. Then the documents of plugins, type by type. Nothing is removed before
its origin was asked about it.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial

from sqlalchemy import select

from federation.digest import (
    TYPES_HEADER,
    BucketDigest,
    BucketDocument,
    CouncilDigest,
    combine,
    parse_types,
)
from federation.errors import DocumentError, FederationError
from federation.followers import HEADER
from node.councils.models import Council
from node.db import now
from node.errors import MoothallError
from node.federating import actors, backfill, comparisons, fetching, follower_sync, queues
from node.federating.models import Actor, Comparison
from node.projects.models import Visibility
from node.runtime import Node
from node.sync import digests, plugin_documents
from node.sync.repair import ComparisonTarget, ReconcileReport, Repair, fetch_pool
from node.text import one_line

# So many councils are compared with at once.
CONCURRENT_COMPARISONS = 4
# One comparison asks for so many of them, or of a large council for a fiftieth of it; where more
# are missing, pages are quicker.
MIN_FETCH_LIMIT = 500
FETCH_LIMIT_DIVISOR = 50
# So many buckets are held at once.
PREFETCHED_BUCKETS = 16
# Of what may be gone, so many are asked about in one comparison; the next goes on.
MAX_REMOVAL_CHECKS = 2_000
# So often in a row we try to agree; then there is time until the next comparison.
MAX_ATTEMPTS = 6
BACKFILL_RETRY_INTERVAL = timedelta(minutes=1)


@queues.wakes_for_next(Comparison)
def run_job(node: Node) -> None:
    """The job: compare with every council whose time has come."""
    with node.work(by=Comparison.JOB) as work:
        comparisons.watch_followed(work.session)
    queues.process_queue(
        node, Comparison, partial(compare, node), concurrency=CONCURRENT_COMPARISONS
    )


def compare(node: Node, leased: queues.Lease) -> None:
    """One comparison, and when the next one is to be."""
    found = ReconcileReport()
    subject = _load_target(node, leased.id)
    if subject is None:
        return
    try:
        _compare(node, subject, found)
    except (MoothallError, FederationError) as error:
        found.messages.append(str(error))
    _record_report(node, leased, subject, found)


def _load_target(node: Node, row_id: int) -> ComparisonTarget | None:
    """Whom to compare with, if now is the time."""
    with node.work(by=Comparison.JOB) as work:
        row = work.session.get_one(Comparison, row_id)
        is_followed = backfill.is_followed(work.session, row.actor)
        council_id = work.session.scalar(select(Council.id).where(Council.actor_id == row.actor_id))
        if row.followers_url is None and (not is_followed or council_id is None):
            work.session.delete(row)
            return None
        if backfill.is_running(work.session, row.actor):
            row.due_at, row.leased_until = now() + BACKFILL_RETRY_INTERVAL, None
            return None
        return ComparisonTarget(
            row_id=row.id,
            actor_id=row.actor_id,
            actor_uri=row.actor.uri,
            council_id=council_id if is_followed else None,
            digest=row.actor.digest,
            followers_url=row.followers_url,
        )


def _compare(node: Node, subject: ComparisonTarget, found: ReconcileReport) -> None:
    _reconcile_followers(node, subject, subject.followers_url, found)
    address = subject.digest or _fetch_digest_url(node, subject)
    if subject.council_id is None or address is None:
        found.messages.append("there is nothing to compare with")
        found.is_skipped = True
        return
    held = digests.get_buckets(node, subject.council_id, Visibility.peers)
    root = combine(int(bucket.digest, 16) for bucket in held)
    answer = fetching.fetch_if_changed(node, address, f'"{root}"')
    with node.reading() as session:
        actor = session.get_one(Actor, subject.actor_id)
        url = follower_sync.find_mismatch_url(session, actor, answer.headers.get(HEADER.lower()))
    _reconcile_followers(node, subject, url, found)
    types = parse_types(answer.headers.get(TYPES_HEADER.lower()))
    found.is_in_sync = answer.document is None
    if answer.document is not None:
        theirs = CouncilDigest.parse(answer.document)
        if (theirs.id, theirs.council) != (address, subject.actor_uri):
            raise DocumentError("attributedTo", "belongs to another council")
        found.is_in_sync = theirs.digest == root
        if not found.is_in_sync:
            _repair(node, subject, held, theirs, found)
    if not found.restarts_backfill:
        found.is_in_sync &= plugin_documents.reconcile(node, subject, address, types, found)


def _repair(
    node: Node,
    subject: ComparisonTarget,
    held: tuple[BucketDigest, ...],
    theirs: CouncilDigest,
    found: ReconcileReport,
) -> None:
    """Find what differs, and ask for each at its origin; or read all again."""
    most = max(MIN_FETCH_LIMIT, theirs.count // FETCH_LIMIT_DIVISOR)
    settling = Repair(node, subject, found)
    ours, yours = ({bucket.number: bucket for bucket in one} for one in (held, theirs.buckets))
    differing = sorted(n for n in ours.keys() | yours.keys() if ours.get(n) != yours.get(n))
    missing = sum(
        max(0, yours[n].count - (ours[n].count if n in ours else 0))
        for n in differing
        if n in yours
    )
    wanted: list[str] = []
    gone: list[str] = []
    for number, listed in _iter_bucket_entries(node, theirs, differing if missing <= most else ()):
        with node.reading() as session:
            there = settling.list_held(session, number)
        wanted += [uri for uri, revision in listed.items() if there.get(uri) != revision]
        gone += [uri for uri in there if uri not in listed]
        settling.renew_lease()
        if len(wanted) > most or settling.is_time_up:
            break
    found.different = max(missing, len(wanted)) + len(gone)
    if max(missing, len(wanted)) > most:
        found.messages.append(f"{found.different} differ: all is read again")
        _restart_backfill(node, subject, found)
        return
    settling.run(wanted, gone[:MAX_REMOVAL_CHECKS])


def _iter_bucket_entries(
    node: Node, theirs: CouncilDigest, numbers: Sequence[int]
) -> Iterator[tuple[int, dict[str, str]]]:
    """What the council has in each of these buckets; the next ones being asked for meanwhile."""
    with fetch_pool() as pool:
        for start in range(0, len(numbers), PREFETCHED_BUCKETS):
            portion = numbers[start : start + PREFETCHED_BUCKETS]
            yield from zip(
                portion, pool.map(partial(_fetch_bucket, node, theirs), portion), strict=True
            )


def _fetch_bucket(node: Node, theirs: CouncilDigest, number: int) -> dict[str, str]:
    """What the council has in one bucket, by id: revisions."""
    if all(bucket.number != number for bucket in theirs.buckets):
        return {}
    bucket = BucketDocument.parse(fetching.fetch_document(node, theirs.bucket_id(number)))
    if (bucket.part_of, bucket.number) != (theirs.id, number):
        raise DocumentError("partOf", "belongs to another digest")
    return dict(bucket.entries)


def _restart_backfill(node: Node, subject: ComparisonTarget, found: ReconcileReport) -> None:
    with node.work(by=Comparison.JOB) as work:
        backfill.begin(work, work.session.get_one(Actor, subject.actor_id))
    found.restarts_backfill = True


def _reconcile_followers(
    node: Node, subject: ComparisonTarget, url: str | None, found: ReconcileReport
) -> None:
    """Where both sides see another list of followers. That it cannot be had stops nothing else."""
    if url is None:
        return
    try:
        done = follower_sync.reconcile(node, subject.actor_id, url)
    except (MoothallError, FederationError) as error:
        done = f"the followers could not be compared: {error}"
    if done:
        found.messages.append(done)


def _fetch_digest_url(node: Node, subject: ComparisonTarget) -> str | None:
    """Where the council says what it has: it may have learnt to since we met it."""
    if subject.council_id is None:
        return None
    document = fetching.fetch_actor(node, subject.actor_uri)
    with node.work(by=Comparison.JOB) as work:
        return actors.upsert(work.session, document).digest


def _record_report(
    node: Node, leased: queues.Lease, subject: ComparisonTarget, found: ReconcileReport
) -> None:
    """Note what came of it. Whoever wanted the council looked at meanwhile still has their turn."""
    with node.work(by=Comparison.JOB) as work:
        row = work.session.get(Comparison, leased.id, with_for_update={"of": Comparison})
        if row is None:  # no longer followed
            return
        if row.followers_url == subject.followers_url:
            row.followers_url = None
        row.compared_at, row.leased_until = now(), None
        row.different, row.fetched, row.removed = found.different, found.fetched, found.removed
        row.attempts += 1
        later = _next_delay(row, found)
        if found.is_in_sync:
            row.agreed_at = row.compared_at
        if later is None:
            hours = work.settings.compare_hours * random.uniform(0.9, 1.1)  # noqa: S311 -- spreads
            later, row.attempts = timedelta(hours=hours), 0
        is_wanted = row.due_at != leased.due_at
        if is_wanted:
            later, row.attempts = timedelta(), 0
        else:
            row.due_at = now() + later
        row.outcome = one_line("; ".join(found.messages), 500)
        if found.fetched:
            work.wake(backfill.CONVERSATIONS_JOB)
        if later < queues.SWEEP_INTERVAL:
            work.wake(Comparison.JOB, later)


def _next_delay(row: Comparison, found: ReconcileReport) -> timedelta | None:
    """When to look again; None where it can wait."""
    if found.is_in_sync or found.is_skipped or found.restarts_backfill:
        return None
    if row.attempts >= MAX_ATTEMPTS:
        found.messages.append(f"still not the same after {row.attempts} comparisons")
        return None
    if found.fetched or found.removed:
        return timedelta()
    return timedelta(seconds=15 * 2**row.attempts)
