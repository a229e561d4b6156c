"""What others send us: judged in a fixed order, stored once, and only then answered.

Messages that arrive together are stored in one transaction. They are acted on later: see
`node.federating.handling`.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import structlog
from sqlalchemy import and_, func, select

from federation.acceptance import Accepted, Policy, accept
from federation.errors import Reason, Refusal
from federation.followers import HEADER
from federation.signatures import SignedRequest, claimed_host
from node.db import insert_new, may_write, now
from node.federating import blocking, follower_sync, handling, peers
from node.federating import refusals as counts
from node.federating.keystore import KeyStore, policy
from node.federating.models import InboxItem
from node.runtime import Node, Room

log = structlog.get_logger(__name__)

MOST_BYTES = Policy.max_bytes
Row = dict[str, Any]


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
    keys = KeyStore(node)
    verdict = accept(request, policy(node), keys, now())
    if not isinstance(verdict, Accepted):
        return
    if keys.has_news:
        with node.work(by=verdict.activity.actor) as work:
            keys.remember(work.session)
    refusal = node.arriving.outcome(handling.row_of(verdict), partial(_store, node))
    if refusal is not None:
        raise refusal
    if HEADER.lower() in verdict.covered:
        follower_sync.noticed(node, verdict.key.owner, request.headers.get(HEADER))


def _store(node: Node, rows: Sequence[Row]) -> Sequence[Refusal | None]:
    """Store the messages that may wait. Of each, why it was not stored, if so."""
    refusals = [_refused(node, row) for row in rows]
    stored = [row for row, refusal in zip(rows, refusals, strict=True) if refusal is None]
    if stored:
        # No unit of work: nobody's doing, and to be quick about.
        with may_write(), node.engine.begin() as connection:
            insert_new(connection, InboxItem, stored)
    for host in {row["forwarded_by"] or row["host"] for row in stored}:
        node.heard.outcome(host, partial(_heard, node, host))
    for job in {handling.job_of(row) for row in stored}:
        node.jobs.wake(job)
    return refusals


def _heard(node: Node, host: str) -> None:
    with node.work(by="inbox") as work:
        peers.heard(work.session, host)


def _refused(node: Node, row: Row) -> Refusal | None:
    """Why a message may not wait: its actor is not heard, or its host sends more than we can act
    on, and is to send the rest later.
    """
    if blocking.is_refused(row["type"], row["actor_uri"], _unheard(node, row["actor_uri"])):
        return Refusal(Reason.actor_blocked, row["actor_uri"])
    host, forwarder = row["host"], row["forwarded_by"]
    # Nobody fills up the room of those whose messages it passes on.
    name = f"forwarded by {forwarder}" if forwarder else host
    room = node.rooms.get(name) or node.rooms.put(name, _room(node, host, forwarder))
    room.left -= 1
    return None if room.left >= 0 else Refusal(Reason.too_many, forwarder or host)


def _unheard(node: Node, actor_uri: str) -> set[str]:
    known = node.unheard.get(actor_uri)
    if known is None:
        with node.reading() as session:
            known = node.unheard.put(actor_uri, blocking.unheard(session, [actor_uri]))
    return known


def _room(node: Node, host: str, forwarder: str | None) -> Room:
    most = node.settings.most_waiting
    sender = InboxItem.forwarded_by == forwarder
    sent = sender if forwarder else and_(InboxItem.host == host, sender)
    waits = InboxItem.state == InboxItem.WAITING, sent
    waiting = select(InboxItem.id).where(*waits).limit(most).subquery()
    with node.reading() as session:
        return Room(most - (session.scalar(select(func.count()).select_from(waiting)) or 0))
