"""Discovers servers through connected ones: what software each runs, and which peers other Moothall
servers publish.

Discovered servers are only suggested; the operator decides.
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
from federation.vocabulary.activity_types import MOVE
from node.database.tables import now
from node.errors import MoothallError
from node.federating.inbound import inbox_processor
from node.federating.models import InboxItem, Peer
from node.federating.peers import fetching, peer_lists, peer_suggestions
from node.federating.peers import service as peers
from node.principal import Principal
from node.queue.error_isolation import for_each
from node.runtime import Node
from node.settings import Settings
from node.text import one_line

log = structlog.get_logger(__name__)

JOB = "discovery"
DISCOVERY_INTERVAL = timedelta(days=7)
# How long a failed Move is retried when its target server is allowed.
MOVE_RETENTION = timedelta(days=60)
MAX_LEN_SOFTWARE = 100
NODEINFO_PATH, PEERS_PATH = "/.well-known/nodeinfo", "/peers.json"
JSON_TYPES = ("application/json",)


@dataclass(frozen=True)
class ServerInfo:
    """What a server publishes: its software, and the Moothall servers it allows."""

    software: str
    allowed_hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class PublishedPeer:
    """A peer as this node publishes it."""

    entry: peer_lists.PeerListEntry
    software: str


def list_published(
    session: Session, settings: Settings, *, allowed: bool, blocked: bool
) -> list[PublishedPeer]:
    """The peers to publish: connected servers, blocked ones, or both."""
    conditions = [is_connected(settings)] if allowed else []
    conditions += [Peer.state == peers.BLOCKED] if blocked else []
    rows = session.scalars(select(Peer).where(or_(*conditions)).order_by(Peer.host))
    return [PublishedPeer(_to_entry(row), row.software) for row in rows]


def _to_entry(row: Peer) -> peer_lists.PeerListEntry:
    state = peers.BLOCKED if row.state == peers.BLOCKED else peers.ALLOWED
    return peer_lists.PeerListEntry(row.host, state, row.comment)


def run_job(node: Node) -> None:
    """The job: query the connected servers that were not queried for `DISCOVERY_INTERVAL`."""
    is_due = or_(Peer.asked_at.is_(None), Peer.asked_at < now() - DISCOVERY_INTERVAL)
    with node.reading() as session:
        query = select(Peer.host).where(is_connected(node.settings), is_due)
        hosts = [*session.scalars(query)]
    # Workers that start at the same moment should not query the same server.
    random.shuffle(hosts)
    for_each(node, JOB, hosts, partial(_discover, node, is_due))


def _discover(node: Node, is_due: ColumnElement[bool], host: str) -> None:
    """Query one server, unless another worker has done so."""
    with node.reading() as session:
        if session.scalar(select(Peer.id).where(Peer.host == host, is_due)) is None:
            return
    _store(node, host, _fetch_server_info(node, host))
    _retry_moves(node, host)
    with node.work(by=Principal.job(JOB)) as work:
        work.session.execute(update(Peer).where(Peer.host == host).values(asked_at=now()))


def is_connected(settings: Settings) -> ColumnElement[bool]:
    """SQL condition: the server is allowed or, in open mode, has exchanged messages with us."""
    if settings.federation == "open":
        has_contact = Peer.heard_at.is_not(None) | Peer.delivered_at.is_not(None)
        return (Peer.state == peers.ALLOWED) | ((Peer.state == peers.UNKNOWN) & has_contact)
    return Peer.state == peers.ALLOWED


def _fetch_server_info(node: Node, host: str) -> ServerInfo | None:
    """What the server publishes about itself; None if it has no valid NodeInfo."""
    base_url = _base_url(node, host)
    try:
        document_url = nodeinfo.find_document_url(_fetch_json(node, f"{base_url}{NODEINFO_PATH}"))
        if document_url is None or not same_origin(document_url, base_url):
            return None
        software = nodeinfo.find_software(_fetch_json(node, document_url))
    except (MoothallError, FederationError) as error:
        log.info("server information not found", host=host, reason=str(error))
        return None
    software = one_line(software, MAX_LEN_SOFTWARE)
    if software.partition(" ")[0].lower() != nodeinfo.SOFTWARE_NAME:
        return ServerInfo(software)
    try:
        return ServerInfo(software, _parse_hosts(_fetch_json(node, f"{base_url}{PEERS_PATH}")))
    except (MoothallError, FederationError):
        return ServerInfo(software)  # publishing peers is optional


def fetch_application_actor(node: Node, host: str) -> ActorDocument | None:
    """The application actor of a server (FEP-2677); None if it publishes none.

    Raises `FetchError` and `FederationError`.
    """
    base_url = _base_url(node, host)
    uri = nodeinfo.find_application_id(_fetch_json(node, f"{base_url}{NODEINFO_PATH}"))
    if uri is None or not same_origin(uri, base_url):
        return None
    return fetching.fetch_actor(node, uri)


def _base_url(node: Node, host: str) -> str:
    """The scheme and host of a server's URLs."""
    scheme = (
        "http" if host in node.settings.private_hosts and not node.settings.is_https else "https"
    )
    return f"{scheme}://{host}"


def _fetch_json(node: Node, url: str) -> dict[str, Any]:
    return parse_json(fetching.fetch_resource(node, url, JSON_TYPES).body)


def _parse_hosts(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The allowed Moothall servers in a published list; invalid entries are ignored."""
    hosts = []
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
            hosts.append(host)
    return tuple(dict.fromkeys(hosts))[: peer_suggestions.MAX_PER_SOURCE]


def _store(node: Node, host: str, info: ServerInfo | None) -> None:
    if info is None:
        return
    with node.work(by=Principal.actor(host)) as work:
        set_software = update(Peer).where(Peer.host == host).values(software=info.software)
        work.session.execute(set_software)
        peer_suggestions.suggest(work, dict.fromkeys(info.allowed_hosts, ""), host)


def _retry_moves(node: Node, host: str) -> None:
    """Retry recent Moves to `host` that failed, as before it was allowed."""
    is_failed_move = InboxItem.type == MOVE, InboxItem.state == "failed"
    is_recent = InboxItem.received_at > now() - MOVE_RETENTION
    with node.reading() as session:
        ids = session.scalars(select(InboxItem.id).where(*is_failed_move, is_recent)).all()
    moves = {f"message {item_id}": item_id for item_id in ids}
    for_each(node, JOB, moves, lambda name: _retry_move(node, host, moves[name]))


def _retry_move(node: Node, host: str, item_id: int) -> None:
    with node.work(by=Principal.job(JOB)) as work:
        item = work.session.get(InboxItem, item_id, with_for_update=True)
        # The body of a large message is not kept, so it cannot be retried.
        if item is None or item.state != "failed" or not item.body:
            return
        target = Activity.parse(item.body).target
        if target is not None and same_origin(target, _base_url(node, host)):
            inbox_processor.retry(work, item)
