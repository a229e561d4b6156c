"""Servers found through servers: what each says it runs, and whom the Moothalls among them know.

Nobody is allowed by being found: what is found is suggested, and an operator decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from federation import nodeinfo
from federation.errors import FederationError
from federation.origin import normal_authority, same_origin
from federation.reading import one_or_many
from federation.vocabulary import parse_json
from node.db import insert_once, now
from node.errors import MoothallError, NotFoundError
from node.federating import fetching, peer_lists, peers
from node.federating.models import Peer
from node.markup import one_line
from node.runtime import Node, UnitOfWork
from node.settings import Settings

log = structlog.get_logger(__name__)

JOB = "discovery"
AGAIN = timedelta(days=7)
AT_ONCE = 20
# So many suggestions of one server, and so many in all.
MOST_OF_ONE, MOST_SUGGESTIONS = 200, 2_000
LONGEST_SOFTWARE = 100
PEERS = "/peers.json"
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


def suggestions(session: Session) -> list[Peer]:
    """The servers that others told us of and nobody has decided about, by name."""
    return list(session.scalars(select(Peer).where(*_suggested()).order_by(Peer.host)))


def suggest(work: UnitOfWork, hosts: Mapping[str, str], found_from: str) -> int:
    """Suggest the servers that are not known yet; of each, a word why. Returns how many are new."""
    session = work.session
    count = select(func.count()).select_from(Peer)
    room = min(
        MOST_SUGGESTIONS - (session.scalar(count.where(*_suggested())) or 0),
        MOST_OF_ONE - (session.scalar(count.where(Peer.found_from == found_from)) or 0),
    )
    unwanted = peers.blocked_among(session, set(hosts)) | {work.settings.authority}
    new = 0
    for host, comment in hosts.items():
        if new >= room:
            break
        values = {"state": peers.UNKNOWN, "comment": comment, "found_from": found_from}
        if host not in unwanted:
            new += insert_once(session, Peer, host=host, last_answer="", **values)
    return new


def dismiss(work: UnitOfWork, host: str) -> None:
    """Suggest a server no more. Raises `NotFoundError`."""
    row = work.session.scalar(select(Peer).where(Peer.host == host, *_suggested()))
    if row is None:
        raise NotFoundError("That server is not suggested.")
    row.found_from, row.comment = None, ""
    work.audit("peer.dismissed", host)


def _suggested() -> tuple[ColumnElement[bool], ...]:
    return Peer.state == peers.UNKNOWN, Peer.found_from.is_not(None)


def work_off(node: Node) -> None:
    """The job: ask the servers that were not asked for a week what they are and whom they know."""
    while hosts := _claim(node):
        for host in hosts:
            if node.jobs.stopping.is_set():
                return
            _keep(node, host, _ask(node, host))


def _claim(node: Node) -> list[str]:
    """Servers to ask now. Whoever takes them notes it first: a crash costs a week, no more."""
    moment = now()
    due = or_(Peer.asked_at.is_(None), Peer.asked_at < moment - AGAIN)
    next_ones = select(Peer.id).where(spoken_with(node.settings), due).order_by(Peer.id)
    some = next_ones.limit(AT_ONCE).with_for_update(skip_locked=True)
    with node.work(by=JOB) as work:
        claimed = update(Peer).where(Peer.id.in_(some)).values(asked_at=moment)
        return list(work.session.scalars(claimed.returning(Peer.host)))


def spoken_with(settings: Settings) -> ColumnElement[bool]:
    """The servers that this node speaks with: allowed, or heard from where all are."""
    if settings.federation == "open":
        heard = Peer.heard_at.is_not(None) | Peer.delivered_at.is_not(None)
        return (Peer.state == peers.ALLOWED) | ((Peer.state == peers.UNKNOWN) & heard)
    return Peer.state == peers.ALLOWED


def _ask(node: Node, host: str) -> Found | None:
    """None where the server does not say what it is."""
    scheme = (
        "http" if host in node.settings.private_hosts and not node.settings.is_https else "https"
    )
    base = f"{scheme}://{host}"
    try:
        where = nodeinfo.document_in(_json(node, f"{base}/.well-known/nodeinfo"))
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
    return tuple(dict.fromkeys(found))[:MOST_OF_ONE]


def _keep(node: Node, host: str, found: Found | None) -> None:
    if found is None:
        return
    with node.work(by=host) as work:
        known = update(Peer).where(Peer.host == host).values(software=found.software)
        work.session.execute(known)
        suggest(work, dict.fromkeys(found.hosts, ""), host)
