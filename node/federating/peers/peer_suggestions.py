"""Suggestions of servers that other servers mentioned. Only the operator can allow them."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from node.database.tables import insert_once
from node.errors import NotFoundError
from node.federating.models import Peer
from node.federating.peers import service as peers
from node.messages import msg
from node.runtime import UnitOfWork

# Suggestions stored per source server, and in all.
MAX_PER_SOURCE, MAX_SUGGESTIONS = 200, 2_000


def list_suggestions(session: Session) -> list[Peer]:
    """The suggested servers that still await a decision, by name."""
    return list(session.scalars(select(Peer).where(*_suggested_conditions()).order_by(Peer.host)))


def suggest(work: UnitOfWork, hosts: Mapping[str, str], found_from: str) -> int:
    """Suggest the unknown servers among `hosts`, a comment by host. Returns how many are new."""
    session = work.session
    count = select(func.count()).select_from(Peer)
    remaining = min(
        MAX_SUGGESTIONS - (session.scalar(count.where(*_suggested_conditions())) or 0),
        MAX_PER_SOURCE - (session.scalar(count.where(Peer.found_from == found_from)) or 0),
    )
    excluded = peers.blocked_among(session, set(hosts)) | {work.settings.authority}
    new = 0
    for host, comment in hosts.items():
        if new >= remaining:
            break
        values = {"state": peers.UNKNOWN, "comment": comment, "found_from": found_from}
        if host not in excluded:
            new += insert_once(session, Peer, host=host, last_answer="", **values)
    return new


def dismiss(work: UnitOfWork, host: str) -> None:
    """Remove a suggestion. Raises `NotFoundError`."""
    row = work.session.scalar(select(Peer).where(Peer.host == host, *_suggested_conditions()))
    if row is None:
        raise NotFoundError(msg("That server has not been suggested."))
    row.found_from, row.comment = None, ""
    work.audit("peer.dismissed", host)


def _suggested_conditions() -> tuple[ColumnElement[bool], ...]:
    return Peer.state == peers.UNKNOWN, Peer.found_from.is_not(None)
