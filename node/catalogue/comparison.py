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
    TYPES,
    Bucket,
    BucketDigest,
    CouncilDigest,
    combine,
    parse_types,
)
from federation.errors import DocumentError, FederationError
from federation.followers import HEADER
from node.catalogue import digests, of_plugins
from node.catalogue.settling import Found, Settling, Subject, asking
from node.councils.models import Council
from node.db import now
from node.errors import MoothallError
from node.federating import actors, backfill, comparisons, fetching, follower_sync, queues
from node.federating.models import Actor, Comparison
from node.projects.models import Visibility
from node.runtime import Node
from node.text import one_line

# So many councils are compared with at once.
AT_ONCE = 4
# One comparison asks for so many of them, or of a large council for a fiftieth of it; where more
# are missing, pages are quicker.
MOST_ASKED = 500
LARGE = 50
# So many buckets are held at once.
AHEAD = 16
# Of what may be gone, so many are asked about in one comparison; the next goes on.
MOST_GONE = 2_000
# So often in a row we try to agree; then there is time until the next comparison.
MOST_ATTEMPTS = 6
BACKFILL_PATIENCE = timedelta(minutes=1)


@queues.wakes_for_next(Comparison)
def work_off(node: Node) -> None:
    """The job: compare with every council whose time has come."""
    with node.work(by=Comparison.JOB) as work:
        comparisons.watch_followed(work.session)
    queues.work_off(node, Comparison, partial(compare, node), at_once=AT_ONCE)


def compare(node: Node, leased: queues.Lease) -> None:
    """One comparison, and when the next one is to be."""
    found = Found()
    subject = _subject(node, leased.id)
    if subject is None:
        return
    try:
        _look(node, subject, found)
    except (MoothallError, FederationError) as error:
        found.words.append(str(error))
    _record(node, leased, subject, found)


def _subject(node: Node, row_id: int) -> Subject | None:
    """Whom to compare with, if now is the time."""
    with node.work(by=Comparison.JOB) as work:
        row = work.session.get_one(Comparison, row_id)
        is_followed = backfill.is_followed(work.session, row.actor)
        council_id = work.session.scalar(select(Council.id).where(Council.actor_id == row.actor_id))
        if row.followers_url is None and (not is_followed or council_id is None):
            work.session.delete(row)
            return None
        if backfill.is_running(work.session, row.actor):
            row.due_at, row.leased_until = now() + BACKFILL_PATIENCE, None
            return None
        return Subject(
            row_id=row.id,
            actor_id=row.actor_id,
            actor_uri=row.actor.uri,
            council_id=council_id if is_followed else None,
            digest=row.actor.digest,
            followers_url=row.followers_url,
        )


def _look(node: Node, subject: Subject, found: Found) -> None:
    _agree_on_followers(node, subject, subject.followers_url, found)
    address = subject.digest or _ask_for_digest(node, subject)
    if subject.council_id is None or address is None:
        found.words.append("there is nothing to compare with")
        found.is_over = True
        return
    held = digests.buckets(node, subject.council_id, Visibility.peers)
    root = combine(int(bucket.digest, 16) for bucket in held)
    answer = fetching.if_changed(node, address, f'"{root}"')
    with node.reading() as session:
        actor = session.get_one(Actor, subject.actor_id)
        url = follower_sync.where_they_differ(session, actor, answer.headers.get(HEADER.lower()))
    _agree_on_followers(node, subject, url, found)
    types = parse_types(answer.headers.get(TYPES.lower()))
    found.agreed = answer.document is None
    if answer.document is not None:
        theirs = CouncilDigest.parse(answer.document)
        if (theirs.id, theirs.council) != (address, subject.actor_uri):
            raise DocumentError("attributedTo", "belongs to another council")
        found.agreed = theirs.digest == root
        if not found.agreed:
            _settle(node, subject, held, theirs, found)
    if not found.reads_all:
        found.agreed &= of_plugins.agree(node, subject, address, types, found)


def _settle(
    node: Node,
    subject: Subject,
    held: tuple[BucketDigest, ...],
    theirs: CouncilDigest,
    found: Found,
) -> None:
    """Find what differs, and ask for each at its origin; or read all again."""
    most = max(MOST_ASKED, theirs.count // LARGE)
    settling = Settling(node, subject, found)
    ours, yours = ({bucket.number: bucket for bucket in one} for one in (held, theirs.buckets))
    differing = sorted(n for n in ours.keys() | yours.keys() if ours.get(n) != yours.get(n))
    missing = sum(
        max(0, yours[n].count - (ours[n].count if n in ours else 0))
        for n in differing
        if n in yours
    )
    wanted: list[str] = []
    gone: list[str] = []
    for number, listed in _lists(node, theirs, differing if missing <= most else ()):
        with node.reading() as session:
            there = settling.entries(session, number)
        wanted += [uri for uri, revision in listed.items() if there.get(uri) != revision]
        gone += [uri for uri in there if uri not in listed]
        settling.hold()
        if len(wanted) > most or settling.is_time_up:
            break
    found.different = max(missing, len(wanted)) + len(gone)
    if max(missing, len(wanted)) > most:
        found.words.append(f"{found.different} differ: all is read again")
        _read_all_again(node, subject, found)
        return
    settling.ask(wanted, gone[:MOST_GONE])


def _lists(
    node: Node, theirs: CouncilDigest, numbers: Sequence[int]
) -> Iterator[tuple[int, dict[str, str]]]:
    """What the council has in each of these buckets; the next ones being asked for meanwhile."""
    with asking() as pool:
        for start in range(0, len(numbers), AHEAD):
            portion = numbers[start : start + AHEAD]
            yield from zip(portion, pool.map(partial(_listed, node, theirs), portion), strict=True)


def _listed(node: Node, theirs: CouncilDigest, number: int) -> dict[str, str]:
    """What the council has in one bucket, by id: revisions."""
    if all(bucket.number != number for bucket in theirs.buckets):
        return {}
    bucket = Bucket.parse(fetching.document(node, theirs.bucket_id(number)))
    if (bucket.part_of, bucket.number) != (theirs.id, number):
        raise DocumentError("partOf", "belongs to another digest")
    return dict(bucket.entries)


def _read_all_again(node: Node, subject: Subject, found: Found) -> None:
    with node.work(by=Comparison.JOB) as work:
        backfill.begin(work, work.session.get_one(Actor, subject.actor_id))
    found.reads_all = True


def _agree_on_followers(node: Node, subject: Subject, url: str | None, found: Found) -> None:
    """Where both sides see another list of followers. That it cannot be had stops nothing else."""
    if url is None:
        return
    try:
        done = follower_sync.agree(node, subject.actor_id, url)
    except (MoothallError, FederationError) as error:
        done = f"the followers could not be compared: {error}"
    if done:
        found.words.append(done)


def _ask_for_digest(node: Node, subject: Subject) -> str | None:
    """Where the council says what it has: it may have learnt to since we met it."""
    if subject.council_id is None:
        return None
    document = fetching.actor(node, subject.actor_uri)
    with node.work(by=Comparison.JOB) as work:
        return actors.remember(work.session, document).digest


def _record(node: Node, leased: queues.Lease, subject: Subject, found: Found) -> None:
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
        later = _later(row, found)
        if found.agreed:
            row.agreed_at = row.compared_at
        if later is None:
            hours = work.settings.compare_hours * random.uniform(0.9, 1.1)  # noqa: S311 -- spreads
            later, row.attempts = timedelta(hours=hours), 0
        is_wanted = row.due_at != leased.due_at
        if is_wanted:
            later, row.attempts = timedelta(), 0
        else:
            row.due_at = now() + later
        row.outcome = one_line("; ".join(found.words), 500)
        if found.fetched:
            work.wake(backfill.CONVERSATIONS)
        if later < queues.SOON:
            work.wake(Comparison.JOB, later)


def _later(row: Comparison, found: Found) -> timedelta | None:
    """When to look again; None where it can wait."""
    if found.agreed or found.is_over or found.reads_all:
        return None
    if row.attempts >= MOST_ATTEMPTS:
        found.words.append(f"still not the same after {row.attempts} comparisons")
        return None
    if found.fetched or found.removed:
        return timedelta()
    return timedelta(seconds=15 * 2**row.attempts)
