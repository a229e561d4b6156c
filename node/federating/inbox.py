"""What others send us: judged in a fixed order, stored once, and only then answered.

What is judged by heart, by keys and hosts that this process remembers, is made sure of in the
transaction that stores it. Messages that arrive together share that transaction. They are acted on
later: see `node.federating.handling`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from federation.acceptance import Accepted, Policy, accept
from federation.errors import Reason, Refusal
from federation.origin import host_of
from federation.signatures import PublicKey, SignedRequest, claimed_host
from node.db import insert_new, now
from node.federating import blocking, follower_sync, handling, keystore, peers, refusals
from node.federating.keystore import KeyStore
from node.federating.models import InboxItem
from node.runtime import Node

log = structlog.get_logger(__name__)

MOST_BYTES = Policy.max_bytes


@dataclass
class Arrival:
    """A message that was accepted, as the row it becomes; `keys` and `hosts` are what was believed
    of the senders.
    """

    sender: str
    keys: dict[str, PublicKey]
    hosts: set[str]
    row: dict[str, Any] = field(repr=False)


def receive(node: Node, request: SignedRequest) -> None:
    """Take one message.

    Raises `Refusal`, which has been counted; nothing else of the message is kept.
    """
    try:
        while not _take(node, request):
            log.info("judged by what had changed", host=claimed_host(request))
    except Refusal as refusal:
        refuse(node, claimed_host(request), refusal)
        raise


def refuse(node: Node, host: str, refusal: Refusal) -> None:
    """Note a refusal where the operator sees it. `host` is what the message claims to be from."""
    refusals.count(node, host, refusal)
    log.info("refused", host=host, reason=refusal.reason.value, detail=refusal.detail)


def _take(node: Node, request: SignedRequest) -> bool:
    """Judge and store; False where what was remembered for that is no longer so."""
    keys, hosts = KeyStore(node, by_heart=True), set[str]()
    verdict = accept(request, _policy(node, hosts), keys, now())
    if not isinstance(verdict, Accepted):
        return True
    if keys.has_news:
        with node.work(by=verdict.activity.actor) as work:
            keys.remember(work.session)
    sender = host_of(verdict.forwarded_by or verdict.activity.actor)
    arrival = Arrival(sender, keys.given, hosts, handling.row_of(verdict))
    outcome = node.arriving.outcome(arrival, partial(_store, node))
    if isinstance(outcome, Refusal):
        raise outcome
    if outcome and follower_sync.HEADER.lower() in verdict.covered:
        header = request.headers.get(follower_sync.HEADER)
        follower_sync.noticed(node, verdict.key.owner, header)
    return bool(outcome)


def _policy(node: Node, hosts: set[str]) -> Policy:
    """What this node's settings and peers say about who may send; notes in `hosts` who may."""

    def host_allowed(host: str) -> bool:
        if not node.allowed_hosts.get(host):
            with node.reading() as session:
                if not peers.is_allowed(session, node.settings, host):
                    return False
            node.allowed_hosts.put(host, True)
        hosts.add(host)
        return True

    return Policy(host_allowed=host_allowed, plain_http=frozenset(node.settings.private_hosts))


def _store(node: Node, arrivals: Sequence[Arrival]) -> Sequence[bool | Refusal]:
    """Store those of the messages that are still believed, for all of which there is room."""
    with node.work(by="inbox") as work:
        believed = _believed(node, work.session, arrivals)
        authors = {each.row["host"] for each in arrivals}
        room = _room(work.session, node.settings.most_waiting, authors)
        unheard = blocking.unheard(work.session, {each.row["actor_uri"] for each in arrivals})
        outcomes: list[bool | Refusal] = []
        rows = []
        for arrival, is_believed in zip(arrivals, believed, strict=True):
            author = arrival.row["host"]
            if blocking.is_refused(arrival.row["type"], arrival.row["actor_uri"], unheard):
                outcomes.append(Refusal(Reason.actor_blocked, arrival.row["actor_uri"]))
                continue
            if is_believed and room[author] < 1:
                outcomes.append(Refusal(Reason.too_many, author))
                continue
            outcomes.append(is_believed)
            if is_believed:
                room[author] -= 1
                rows.append(arrival.row)
        if rows:
            insert_new(work.session, InboxItem, rows)
            for host in {arrival.sender for arrival in arrivals}:
                node.heard.outcome(host, partial(peers.heard, work.session, host))
            for job in {handling.job_of(row) for row in rows}:
                work.wake(job)
    return outcomes


def _believed(node: Node, session: Session, arrivals: Sequence[Arrival]) -> list[bool]:
    """Which of them were judged by what still holds; what does not is forgotten."""
    hosts = {host for each in arrivals for host in each.hosts} - {node.settings.authority}
    keys = {key_id: key for each in arrivals for key_id, key in each.keys.items()}
    lost = hosts - peers.allowed_among(session, node.settings, hosts)
    for host in lost:
        node.allowed_hosts.drop(host)
    found = keystore.stored(session, keys.keys())
    for key_id, key in keys.items():
        if found.get(key_id) != key:
            node.known_keys.drop(key_id)
    return [
        not each.hosts & lost and all(found.get(name) == key for name, key in each.keys.items())
        for each in arrivals
    ]


def _room(session: Session, most: int, hosts: set[str]) -> Counter[str]:
    """How many more messages of each host may wait: of a host that sends more than we can act on,
    the rest is to come later.
    """
    room: Counter[str] = Counter()
    for host in hosts:
        waiting = select(InboxItem.id).where(
            InboxItem.host == host, InboxItem.state == InboxItem.WAITING
        )
        count = select(func.count()).select_from(waiting.limit(most).subquery())
        room[host] = most - (session.scalar(count) or 0)
    return room
