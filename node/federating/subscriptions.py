"""Lists of servers that another node keeps: read again every day, and applied.

A list may block. What it allows is only suggested, unless the operator trusts it with that. The
operator's own word always stands. What a list decided is taken back when it no longer says so.
"""

from datetime import timedelta
from functools import partial

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from federation.errors import FederationError
from federation.origin import check_id, host_of
from node.db import now
from node.errors import ConflictError, InvalidInputError, NotFoundError
from node.federating import fetching, peer_lists, peers, queues, suggesting
from node.federating.models import Peer, PeerList
from node.runtime import Node, UnitOfWork
from node.wording import say

MOST_LISTS = 10
AGAIN = timedelta(days=1)
CSV = ("text/csv", "text/plain")


def all_lists(session: Session) -> list[PeerList]:
    """Every list that this node subscribes to, the first subscribed first."""
    return list(session.scalars(select(PeerList).order_by(PeerList.id)))


def subscribe(work: UnitOfWork, url: str, *, may_allow: bool = False) -> PeerList:
    """Read the list at `url` from now on. Subscribing again changes only what it may do.

    Raises `InvalidInputError` for what is no address of another server.
    """
    url = url.strip()
    try:
        check_id(url, frozenset(work.settings.private_hosts))
    except FederationError as error:
        raise InvalidInputError(
            say("That is not the address of a list."),
            {"url": say("Enter an address such as https://moothall.example.gov.uk/peers.csv")},
        ) from error
    if host_of(url) == work.settings.authority:
        raise InvalidInputError(
            say("That is this node’s own list."), {"url": say("Enter another’s list")}
        )
    if peers.is_blocked(work.session, host_of(url)):
        raise InvalidInputError(
            say("That server is blocked."), {"url": say("This server is blocked")}
        )
    row = work.session.scalar(select(PeerList).where(PeerList.url == url))
    if row is None:
        if len(all_lists(work.session)) >= MOST_LISTS:
            raise ConflictError(
                say(
                    "This node subscribes to %(most)s lists, and to no more.",
                    most=MOST_LISTS,
                )
            )
        row = PeerList(url=url)
        work.session.add(row)
    row.may_allow, row.due_at, row.attempts = may_allow, now(), 0
    work.session.flush()
    work.audit("peer-list.subscribe", url, may_allow=may_allow)
    work.wake(PeerList.JOB)
    return row


def unsubscribe(work: UnitOfWork, url: str) -> None:
    """No longer read a list, and take back what it decided. Raises `NotFoundError`."""
    row = work.session.scalar(select(PeerList).where(PeerList.url == url.strip()))
    if row is None:
        raise NotFoundError(say("This node does not subscribe to that list."))
    host, row_id = host_of(row.url), row.id
    row.body = ""
    apply(work)
    suggested = Peer.found_from == host, Peer.state == peers.UNKNOWN
    work.session.execute(update(Peer).where(*suggested).values(found_from=None, comment=""))
    work.session.delete(work.session.get_one(PeerList, row_id))
    work.audit("peer-list.unsubscribe", url)


@queues.wakes_for_next(PeerList)
def work_off(node: Node) -> None:
    """The job: read every list that is due, one after the other. What one that cannot be read said
    before holds on.
    """
    queues.work_off(node, PeerList, partial(_refresh, node))


def _refresh(node: Node, leased: queues.Lease) -> None:
    with node.reading() as session:
        url = session.get_one(PeerList, leased.id).url
    body = fetching.resource(node, url, CSV, vouched=True).body
    contents = peer_lists.read(body)
    with node.work(by=url) as work:
        row = work.session.get(PeerList, leased.id, with_for_update=True)
        if row is None:
            return
        row.body = peer_lists.write(contents.entries)
        row.entries, row.fetched_at, row.attempts = len(contents.entries), now(), 0
        row.outcome = f"{len(contents.wrong)} lines could not be used" if contents.wrong else ""
        row.leased_until = None
        if row.due_at == leased.due_at:
            row.due_at = now() + AGAIN
        apply(work)


def apply(work: UnitOfWork) -> None:
    """Make the rows of hosts agree with what all lists say together: a block wins."""
    session = work.session
    session.flush()
    said = _said(work)
    rows = {row.host: row for row in session.scalars(select(Peer))}
    changes = 0
    for host, row in rows.items():
        if row.peer_list_id is not None and host not in said:
            row.state, row.peer_list_id, row.comment = peers.UNKNOWN, None, ""
            changes += 1
    for host, (list_id, entry) in said.items():
        known = rows.get(host) or peers.row(session, host)
        is_word = known.state != peers.UNKNOWN and known.peer_list_id is None
        if not is_word and (known.state, known.peer_list_id) != (entry.state, list_id):
            known.state, known.peer_list_id = entry.state, list_id
            known.comment, known.found_from = entry.comment, None
            changes += 1
    if changes:
        work.audit("peer-list.apply", work.settings.authority, changes=changes)
        peers.enforce(work)


def _said(work: UnitOfWork) -> dict[str, tuple[int, peer_lists.Entry]]:
    """What the lists decide, by host, with the list's id; what they may not decide is suggested."""
    blocks: dict[str, tuple[int, peer_lists.Entry]] = {}
    allows: dict[str, tuple[int, peer_lists.Entry]] = {}
    for row in all_lists(work.session):
        suggested = {}
        for entry in peer_lists.read(row.body.encode()).entries if row.body else ():
            if entry.host == work.settings.authority:
                continue
            if entry.state == peers.BLOCKED:
                blocks.setdefault(entry.host, (row.id, entry))
            elif row.may_allow:
                allows.setdefault(entry.host, (row.id, entry))
            else:
                suggested[entry.host] = entry.comment
        suggesting.suggest(work, suggested, host_of(row.url))
    return allows | blocks
