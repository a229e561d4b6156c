"""Servers found through servers: what each says it runs, and whom the Moothalls among them know.

Nobody is allowed by being found: what is found is suggested, and an operator decides.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from federation import nodeinfo
from federation.errors import FederationError
from federation.origin import normal_authority, same_origin
from federation.reading import one_or_many
from federation.vocabulary import Activity, parse_json
from federation.vocabulary import Actor as ActorDocument
from node.db import now
from node.errors import MoothallError
from node.federating import fetching, handling, peer_lists, peers, suggesting
from node.federating.models import InboxItem, Peer
from node.federating.moving import MOVE
from node.isolation import each
from node.runtime import Node
from node.settings import Settings
from node.text import one_line

log = structlog.get_logger(__name__)

JOB = "discovery"
AGAIN = timedelta(days=7)
# A move to a server that was not allowed counts still when it is, within this time.
MOVES_KEPT = timedelta(days=60)
LONGEST_SOFTWARE = 100
WELL_KNOWN, PEERS = "/.well-known/nodeinfo", "/peers.json"
JSON = ("application/json",)


@dataclass(frozen=True)
class Found:
    """What a server said: its software, and the Moothalls that it knows."""

    software: str
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listed:
    """What this node says of one server to others."""

    entry: peer_lists.Entry
    software: str


def listed(session: Session, settings: Settings, *, allowed: bool, blocked: bool) -> list[Listed]:
    """What this node publishes: of the servers it speaks with, of those it blocks, or of both."""
    wanted = [spoken_with(settings)] if allowed else []
    wanted += [Peer.state == peers.BLOCKED] if blocked else []
    rows = session.scalars(select(Peer).where(or_(*wanted)).order_by(Peer.host))
    return [Listed(_entry(row), row.software) for row in rows]


def _entry(row: Peer) -> peer_lists.Entry:
    state = peers.BLOCKED if row.state == peers.BLOCKED else peers.ALLOWED
    return peer_lists.Entry(row.host, state, row.comment)


def work_off(node: Node) -> None:
    """The job: ask the servers that were not asked for a week what they are and whom they know."""
    due = or_(Peer.asked_at.is_(None), Peer.asked_at < now() - AGAIN)
    with node.reading() as session:
        query = select(Peer.host).where(spoken_with(node.settings), due)
        hosts = [*session.scalars(query)]
    # Several workers begin at the same moment, and not with the same server.
    random.shuffle(hosts)
    each(node, JOB, hosts, partial(_learn, node, due))


def _learn(node: Node, due: ColumnElement[bool], host: str) -> None:
    """Ask one server, unless another worker was quicker."""
    with node.reading() as session:
        if session.scalar(select(Peer.id).where(Peer.host == host, due)) is None:
            return
    _keep(node, host, _ask(node, host))
    _go_on_with_moves(node, host)
    with node.work(by=JOB) as work:
        work.session.execute(update(Peer).where(Peer.host == host).values(asked_at=now()))


def spoken_with(settings: Settings) -> ColumnElement[bool]:
    """The servers that this node speaks with: allowed, or heard from where all are."""
    if settings.federation == "open":
        heard = Peer.heard_at.is_not(None) | Peer.delivered_at.is_not(None)
        return (Peer.state == peers.ALLOWED) | ((Peer.state == peers.UNKNOWN) & heard)
    return Peer.state == peers.ALLOWED


def _ask(node: Node, host: str) -> Found | None:
    """None where the server does not say what it is."""
    base = _base(node, host)
    try:
        where = nodeinfo.document_in(_json(node, f"{base}{WELL_KNOWN}"))
        if where is None or not same_origin(where, base):
            return None
        software = nodeinfo.software_in(_json(node, where))
    except (MoothallError, FederationError) as error:
        log.info("a server does not say what it is", host=host, why=str(error))
        return None
    software = one_line(software, LONGEST_SOFTWARE)
    if software.partition(" ")[0].lower() != nodeinfo.NAME:
        return Found(software)
    try:
        return Found(software, _hosts(_json(node, f"{base}{PEERS}")))
    except (MoothallError, FederationError):
        return Found(software)  # which is its right


def application(node: Node, host: str) -> ActorDocument | None:
    """The actor of a server itself (FEP-2677), None where it names none.

    Raises `NotFetchedError` and `FederationError`.
    """
    base = _base(node, host)
    uri = nodeinfo.application_in(_json(node, f"{base}{WELL_KNOWN}"))
    if uri is None or not same_origin(uri, base):
        return None
    return fetching.actor(node, uri)


def _base(node: Node, host: str) -> str:
    """Where the addresses of a server begin."""
    scheme = (
        "http" if host in node.settings.private_hosts and not node.settings.is_https else "https"
    )
    return f"{scheme}://{host}"


def _json(node: Node, url: str) -> dict[str, Any]:
    return parse_json(fetching.resource(node, url, JSON).body)


def _hosts(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The servers in what another Moothall publishes; what is none is left out."""
    found = []
    for item in one_or_many(document.get("peers"))[: peers.PORTION]:
        host = item.get("host") if isinstance(item, dict) else None
        try:
            host = normal_authority(host) if isinstance(host, str) else ""
        except FederationError:
            continue
        software = str(item.get("software", "")).partition(" ")[0].lower()
        if "." in host and item.get("state") == peers.ALLOWED and software == nodeinfo.NAME:
            found.append(host)
    return tuple(dict.fromkeys(found))[: suggesting.MOST_OF_ONE]


def _keep(node: Node, host: str, found: Found | None) -> None:
    if found is None:
        return
    with node.work(by=host) as work:
        known = update(Peer).where(Peer.host == host).values(software=found.software)
        work.session.execute(known)
        suggesting.suggest(work, dict.fromkeys(found.hosts, ""), host)


def _go_on_with_moves(node: Node, host: str) -> None:
    """Whoever moved to `host` before it was allowed is followed there now."""
    with node.work(by=JOB) as work:
        failed = InboxItem.type == MOVE, InboxItem.state == "failed"
        lately = InboxItem.received_at > now() - MOVES_KEPT
        for item in work.session.scalars(select(InboxItem).where(*failed, lately)):
            # Of one that was large nothing is kept, so it cannot be acted on again.
            target = Activity.parse(item.body).target if item.body else None
            if target is not None and same_origin(target, _base(node, host)):
                handling.retry(work, item)
