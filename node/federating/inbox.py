"""What others send us: judged in a fixed order, stored once, and only then answered.

Messages that arrive together are judged one after the other by one thread, which costs half of what
it costs many threads that take turns, and stored in one transaction. They are acted on later: see
`node.federating.inbox_processing`.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Update, and_, bindparam, func, select, update

from federation.acceptance import Accepted, Ignored, InboxPolicy, accept
from federation.errors import Reason, Refusal
from federation.followers import HEADER
from federation.signatures import SignedRequest, claimed_host
from federation.vocabulary import Activity
from node.caches_and_limits import LimitExceededError
from node.db import insert_missing, now, read_write
from node.federating import (
    actor_blocks,
    actor_deletions,
    follower_sync,
    inbox_processing,
    keystore,
    object_resolution,
    peer_health,
)
from node.federating import refusals as counts
from node.federating.keystore import FetchingKeyStore, KeyNotStoredError, StoredKeys, build_policy
from node.federating.models import InboxItem
from node.runtime import Node, Quota

log = structlog.get_logger(__name__)

MAX_BYTES = InboxPolicy.max_bytes
Row = dict[str, Any]
FOLLOW = "Follow"
# An irrelevant message takes up no room: its id alone is kept, to recognise it if it comes again.
IRRELEVANT_ROW: Row = {
    "state": "ignored",
    "outcome": "refers to nothing on this server",
    "body": {},
}
# What the messages that wait are about.
WAITING_OBJECTS = select(InboxItem.object_uri).where(
    InboxItem.object_uri.in_(bindparam("uris", expanding=True)),
    InboxItem.state == InboxItem.WAITING,
)
# Of large messages, one server sends so many a minute, and all together; as long as they wait, they
# take up much of the disk.
MAX_LARGE_PER_HOST, MAX_LARGE = 20, 60


class InboxResult(NamedTuple):
    """What came of a message: what it is, or why it is refused; or that a key must be asked for
    before anybody can say.
    """

    verdict: Accepted | Ignored | None = None
    refusal: Refusal | None = None
    needs_key_fetch: bool = False


def receive(node: Node, request: SignedRequest) -> None:
    """Take one message; once this returns, it is stored.

    Raises `Refusal`, which has been counted; nothing else of the message is kept.
    """
    try:
        _receive(node, request)
    except Refusal as refusal:
        refuse(node, claimed_host(request), refusal)
        raise


def refuse(node: Node, host: str, refusal: Refusal) -> None:
    """Note a refusal where the operator sees it. `host` is what the message claims to be from."""
    counts.count(node, host, refusal)
    log.info("refused", host=host, reason=refusal.reason.value, detail=refusal.detail)


def _receive(node: Node, request: SignedRequest) -> None:
    taken = _submit(node, request)
    if taken.needs_key_fetch:
        # It takes its time to ask for a key: done where nobody else waits for it.
        keys = FetchingKeyStore(node)
        verdict = accept(request, build_policy(node), keys, now())
        if isinstance(verdict, Ignored):
            _handle_ignored(node, request, verdict)
            return
        if keys.has_fetched:
            with node.work(by=verdict.activity.actor) as work:
                keys.store_fetched(work.session)
        taken = _submit(node, verdict)
    if taken.refusal is not None:
        raise taken.refusal
    told = taken.verdict
    if isinstance(told, Ignored):
        _handle_ignored(node, request, told)
    elif isinstance(told, Accepted) and HEADER.lower() in told.covered:
        follower_sync.handle_header(node, told.key.owner, request.headers.get(HEADER))


def _handle_ignored(node: Node, request: SignedRequest, told: Ignored) -> None:
    """Nothing is kept of it; but an account that may be deleted is asked for, and what nobody can
    verify is counted.
    """
    if told.deleted_actor is not None:
        actor_deletions.schedule_check(node, told.deleted_actor)
    if told.refusal is not None:
        refuse(node, claimed_host(request), told.refusal)


def _submit(node: Node, one: SignedRequest | Accepted) -> InboxResult:
    taken: InboxResult = node.inbox_commits.submit(one, partial(_process_batch, node))
    return taken


def _process_batch(
    node: Node, arrived: Sequence[SignedRequest | Accepted]
) -> Sequence[InboxResult]:
    """Judge what arrived together, one after the other, and store what was accepted, at once."""
    keystore.prefetch_keys(node, [one for one in arrived if isinstance(one, SignedRequest)])
    by_known_keys, rules = StoredKeys(node), build_policy(node)
    judged = [
        InboxResult(one) if isinstance(one, Accepted) else _judge(one, rules, by_known_keys)
        for one in arrived
    ]
    accepted = {
        place: (taken.verdict, inbox_processing.build_row(taken.verdict))
        for place, taken in enumerate(judged)
        if isinstance(taken.verdict, Accepted)
    }
    unheard = _find_blocked_or_deleted(
        node, {row["actor_uri"] for _verdict, row in accepted.values()}
    )
    _ignore_irrelevant(node, [(verdict.activity, row) for verdict, row in accepted.values()])
    rows = []
    for place, (verdict, row) in accepted.items():
        refusal = _refusal_for(node, row, len(verdict.body), unheard)
        if refusal is None:
            rows.append(row)
        else:
            judged[place] = InboxResult(refusal=refusal)
    if rows:
        _store(node, rows)
    return judged


def _judge(request: SignedRequest, rules: InboxPolicy, keys: StoredKeys) -> InboxResult:
    try:
        return InboxResult(accept(request, rules, keys, now()))
    except Refusal as refusal:
        return InboxResult(refusal=refusal)
    except KeyNotStoredError:
        return InboxResult(needs_key_fetch=True)


def _store(node: Node, rows: Sequence[Row]) -> None:
    # No unit of work: nobody's doing, and to be quick about.
    with read_write(), node.engine.begin() as connection:
        insert_missing(connection, InboxItem, rows)
        for row in rows:
            if row["type"] == FOLLOW:
                connection.execute(_reopen_follow(row))
    for host in {row["forwarded_by"] or row["host"] for row in rows}:
        node.peer_seen_cache.get_or_compute(host, partial(_record_peer_seen, node, host))
    waiting = [row for row in rows if row["state"] == InboxItem.WAITING]
    for job in {inbox_processing.job_for(row) for row in waiting}:
        node.jobs.wake(job)


def _reopen_follow(row: Row) -> Update:
    """A Follow that came before under the same id is acted on once more: whoever repeats it has
    missed our answer. Of one that waits, nothing changes.
    """
    finished = InboxItem.uri == row["uri"], InboxItem.state.in_(("done", "ignored"))
    mine = InboxItem.actor_uri == row["actor_uri"], InboxItem.type == FOLLOW
    anew = {"state": InboxItem.WAITING, "attempts": 0, "due_at": row["due_at"], "finished_at": None}
    return update(InboxItem).where(*finished, *mine).values(body=row["body"], **anew)


def _record_peer_seen(node: Node, host: str) -> None:
    with node.work(by="inbox") as work:
        peer_health.on_message_received(work, host)


def _ignore_irrelevant(node: Node, arrived: Sequence[tuple[Activity, Row]]) -> None:
    """Mark the messages that refer to nothing on this server, so that no job has to act on them.
    A reply to a message that is still waiting is not one of them.
    """
    by_place = {
        place: subjects
        for place, (activity, row) in enumerate(arrived)
        if not row["needs_fetch"]
        and (subjects := node.relevance.referenced_uris(node.settings, activity)) is not None
    }
    if not by_place:
        return
    uris = set[str]().union(*by_place.values())
    with node.reading() as session:
        known = node.relevance.find_known(session, uris)
        known.update(session.scalars(WAITING_OBJECTS, {"uris": list(uris)}))
    written = [
        (place, row["object_uri"])
        for place, (_activity, row) in enumerate(arrived)
        if row["type"] in object_resolution.OBJECT_ACTIVITIES
    ]
    for place, subjects in by_place.items():
        others = (uri for at, uri in written if at != place)
        if known.isdisjoint(subjects) and subjects.isdisjoint(others):
            arrived[place][1].update(IRRELEVANT_ROW, finished_at=now())


def _refusal_for(node: Node, row: Row, size: int, unheard: set[str]) -> Refusal | None:
    """Why a message of `size` bytes may not wait: its actor is not heard, or its host sends more
    than we can act on or have room for, and is to send the rest later.
    """
    if actor_blocks.is_refused(row["type"], row["actor_uri"], unheard):
        return Refusal(Reason.actor_blocked, row["actor_uri"])
    if row["state"] != InboxItem.WAITING:
        return None
    host, forwarder = row["host"], row["forwarded_by"]
    # Nobody fills up the room of those whose messages it passes on.
    name = f"forwarded by {forwarder}" if forwarder else host
    room = node.quotas.get(name) or node.quotas.put(name, _load_quota(node, host, forwarder))
    room.remaining -= 1
    if room.remaining < 0 or (
        size > inbox_processing.LARGE_MESSAGE_BYTES
        and not _is_within_large_quota(node, forwarder or host)
    ):
        return Refusal(Reason.too_many, forwarder or host)
    return None


def _is_within_large_quota(node: Node, sender: str) -> bool:
    try:
        node.large_message_limiter.hit(sender, MAX_LARGE_PER_HOST, MAX_LARGE)
    except LimitExceededError:
        return False
    return True


def _find_blocked_or_deleted(node: Node, actor_uris: set[str]) -> set[str]:
    """Those of some actors from whom nothing is taken, remembered for a moment."""
    found = {
        uri: known for uri in actor_uris if (known := node.blocked_actor_cache.get(uri)) is not None
    }
    if unknown := actor_uris - set(found):
        with node.reading() as session:
            unheard = actor_blocks.find_blocked_or_deleted(session, unknown)
        found |= {uri: node.blocked_actor_cache.put(uri, unheard & {uri}) for uri in unknown}
    return set[str]().union(*found.values())


def _load_quota(node: Node, host: str, forwarder: str | None) -> Quota:
    most = node.settings.most_waiting
    sender = InboxItem.forwarded_by == forwarder
    sent = sender if forwarder else and_(InboxItem.host == host, sender)
    waits = InboxItem.state == InboxItem.WAITING, sent
    waiting = select(InboxItem.id).where(*waits).limit(most).subquery()
    with node.reading() as session:
        return Quota(most - (session.scalar(select(func.count()).select_from(waiting)) or 0))
