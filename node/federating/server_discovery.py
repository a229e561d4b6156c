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
from federation.origin import normalise_authority, same_origin
from federation.properties import one_or_many
from federation.vocabulary import Activity, ActorDocument, parse_json
from node.db import now
from node.error_isolation import for_each
from node.errors import MoothallError
from node.federating import fetching, inbox_processing, peer_lists, peer_suggestions, peers
from node.federating.actor_moves import MOVE
from node.federating.models import InboxItem, Peer
from node.runtime import Node
from node.settings import Settings
from node.text import one_line

log = structlog.get_logger(__name__)

JOB = "discovery"
DISCOVERY_INTERVAL = timedelta(days=7)
# A move to a server that was not allowed counts still when it is, within this time.
MOVE_RETENTION = timedelta(days=60)
MAX_LEN_SOFTWARE = 100
NODEINFO_PATH, PEERS_PATH = "/.well-known/nodeinfo", "/peers.json"
JSON_TYPES = ("application/json",)


@dataclass(frozen=True)
class ServerInfo:
    """What a server said: its software, and the Moothalls that it knows."""

    software: str
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class PublishedPeer:
    """What this node says of one server to others."""

    entry: peer_lists.PeerListEntry
    software: str


def list_published(
    session: Session, settings: Settings, *, allowed: bool, blocked: bool
) -> list[PublishedPeer]:
    """What this node publishes: of the servers it speaks with, of those it blocks, or of both."""
    wanted = [is_connected(settings)] if allowed else []
    wanted += [Peer.state == peers.BLOCKED] if blocked else []
    rows = session.scalars(select(Peer).where(or_(*wanted)).order_by(Peer.host))
    return [PublishedPeer(_to_entry(row), row.software) for row in rows]


def _to_entry(row: Peer) -> peer_lists.PeerListEntry:
    state = peers.BLOCKED if row.state == peers.BLOCKED else peers.ALLOWED
    return peer_lists.PeerListEntry(row.host, state, row.comment)


def run_job(node: Node) -> None:
    """The job: ask the servers that were not asked for a week what they are and whom they know."""
    due = or_(Peer.asked_at.is_(None), Peer.asked_at < now() - DISCOVERY_INTERVAL)
    with node.reading() as session:
        query = select(Peer.host).where(is_connected(node.settings), due)
        hosts = [*session.scalars(query)]
    # Several workers begin at the same moment, and not with the same server.
    random.shuffle(hosts)
    for_each(node, JOB, hosts, partial(_discover, node, due))


def _discover(node: Node, due: ColumnElement[bool], host: str) -> None:
    """Ask one server, unless another worker was quicker."""
    with node.reading() as session:
        if session.scalar(select(Peer.id).where(Peer.host == host, due)) is None:
            return
    _store(node, host, _fetch_server_info(node, host))
    _retry_moves(node, host)
    with node.work(by=JOB) as work:
        work.session.execute(update(Peer).where(Peer.host == host).values(asked_at=now()))


def is_connected(settings: Settings) -> ColumnElement[bool]:
    """The servers that this node speaks with: allowed, or heard from where all are."""
    if settings.federation == "open":
        heard = Peer.heard_at.is_not(None) | Peer.delivered_at.is_not(None)
        return (Peer.state == peers.ALLOWED) | ((Peer.state == peers.UNKNOWN) & heard)
    return Peer.state == peers.ALLOWED


def _fetch_server_info(node: Node, host: str) -> ServerInfo | None:
    """None where the server does not say what it is."""
    base = _base_url(node, host)
    try:
        where = nodeinfo.find_document_url(_fetch_json(node, f"{base}{NODEINFO_PATH}"))
        if where is None or not same_origin(where, base):
            return None
        software = nodeinfo.find_software(_fetch_json(node, where))
    except (MoothallError, FederationError) as error:
        log.info("a server does not say what it is", host=host, why=str(error))
        return None
    software = one_line(software, MAX_LEN_SOFTWARE)
    if software.partition(" ")[0].lower() != nodeinfo.SOFTWARE_NAME:
        return ServerInfo(software)
    try:
        return ServerInfo(software, _parse_hosts(_fetch_json(node, f"{base}{PEERS_PATH}")))
    except (MoothallError, FederationError):
        return ServerInfo(software)  # which is its right


def fetch_application_actor(node: Node, host: str) -> ActorDocument | None:
    """The actor of a server itself (FEP-2677), None where it names none.

    Raises `NotFetchedError` and `FederationError`.
    """
    base = _base_url(node, host)
    uri = nodeinfo.find_application(_fetch_json(node, f"{base}{NODEINFO_PATH}"))
    if uri is None or not same_origin(uri, base):
        return None
    return fetching.fetch_actor(node, uri)


def _base_url(node: Node, host: str) -> str:
    """Where the addresses of a server begin."""
    scheme = (
        "http" if host in node.settings.private_hosts and not node.settings.is_https else "https"
    )
    return f"{scheme}://{host}"


def _fetch_json(node: Node, url: str) -> dict[str, Any]:
    return parse_json(fetching.fetch_resource(node, url, JSON_TYPES).body)


def _parse_hosts(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The servers in what another Moothall publishes; what is none is left out."""
    found = []
    for item in one_or_many(document.get("peers"))[: peers.MAX_SQL_VALUES]:
        host = item.get("host") if isinstance(item, dict) else None
        try:
            host = normalise_authority(host) if isinstance(host, str) else ""
        except FederationError:
            continue
        software = str(item.get("software", "")).partition(" ")[0].lower()
        if (
            "." in host
            and item.get("state") == peers.ALLOWED
            and software == nodeinfo.SOFTWARE_NAME
        ):
            found.append(host)
    return tuple(dict.fromkeys(found))[: peer_suggestions.MAX_PER_SOURCE]


def _store(node: Node, host: str, found: ServerInfo | None) -> None:
    if found is None:
        return
    with node.work(by=host) as work:
        known = update(Peer).where(Peer.host == host).values(software=found.software)
        work.session.execute(known)
        peer_suggestions.suggest(work, dict.fromkeys(found.hosts, ""), host)


def _retry_moves(node: Node, host: str) -> None:
    """Whoever moved to `host` before it was allowed is followed there now."""
    with node.work(by=JOB) as work:
        failed = InboxItem.type == MOVE, InboxItem.state == "failed"
        lately = InboxItem.received_at > now() - MOVE_RETENTION
        for item in work.session.scalars(select(InboxItem).where(*failed, lately)):
            # Of one that was large nothing is kept, so it cannot be acted on again.
            target = Activity.parse(item.body).target if item.body else None
            if target is not None and same_origin(target, _base_url(node, host)):
                inbox_processing.retry(work, item)
