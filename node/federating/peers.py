"""Which hosts we speak with, and how it goes."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.origin import normal_authority
from node.db import insert_once, now
from node.errors import InvalidInputError
from node.federating.models import Peer
from node.runtime import UnitOfWork
from node.settings import Settings

# A statement takes so many values, and no more, on every database.
PORTION = 500
ALLOWED, BLOCKED, UNKNOWN = "allowed", "blocked", "unknown"


def is_allowed(session: Session, settings: Settings, host: str) -> bool:
    """Whether anything may be read from, sent to or taken from `host` (`host` or `host:port`)."""
    if host == settings.authority:
        return True
    state = session.scalar(select(Peer.state).where(Peer.host == host))
    if state == BLOCKED:
        return False
    return state == ALLOWED or settings.federation == "open"


def allowed_among(session: Session, settings: Settings, hosts: set[str]) -> set[str]:
    """Those of `hosts` that we speak with."""
    if settings.federation == "open":
        states = _states(session, hosts)
        return {host for host in hosts if states.get(host) != BLOCKED}
    return allowed_by_name(session, hosts)


def allowed_by_name(session: Session, hosts: set[str]) -> set[str]:
    """Those of `hosts` that the operator allowed, in open mode too: they get what is for peers."""
    return {host for host, state in _states(session, hosts).items() if state == ALLOWED}


def _states(session: Session, hosts: set[str]) -> dict[str, str]:
    states: dict[str, str] = {}
    listed = sorted(hosts)
    for start in range(0, len(listed), PORTION):
        portion = listed[start : start + PORTION]
        query = select(Peer.host, Peer.state).where(Peer.host.in_(portion))
        states |= {row.host: row.state for row in session.execute(query)}
    return states


def is_blocked(session: Session, host: str) -> bool:
    return session.scalar(select(Peer.state).where(Peer.host == host)) == BLOCKED


def decide(work: UnitOfWork, host: str, state: str) -> Peer:
    """The operator's word: `allowed` or `blocked`.

    Raises `InvalidInputError` for what is not a host.
    """
    try:
        host = normal_authority(host)
    except ValueError as error:
        raise InvalidInputError(
            "That is not the name of a server.",
            {"host": "Enter a server’s name, such as moothall.example.gov.uk"},
        ) from error
    if state not in {ALLOWED, BLOCKED}:
        raise InvalidInputError("A server is either allowed or blocked.")
    peer = row(work.session, host)
    peer.state = state
    work.audit(f"peer.{state}", host)
    return peer


def row(session: Session, host: str) -> Peer:
    """The row of `host`, made if there is none."""
    insert_once(session, Peer, host=host, state=UNKNOWN, last_answer="")
    return session.scalars(select(Peer).where(Peer.host == host)).one()


def heard(session: Session, host: str, at: datetime | None = None) -> None:
    """`host` sent us something that we accepted."""
    row(session, host).heard_at = at or now()


def answered(session: Session, host: str, *, well: bool, answer: str) -> None:
    """How `host` answered a delivery."""
    peer = row(session, host)
    peer.last_answer = answer[:500]
    if well:
        peer.delivered_at = now()
    else:
        peer.failed_at = now()


def health(peer: Peer) -> str:
    """One of: working, failing, new. The pages put it in words."""
    if peer.failed_at and (peer.delivered_at is None or peer.failed_at > peer.delivered_at):
        return "failing"
    if peer.delivered_at or peer.heard_at:
        return "working"
    return "new"
