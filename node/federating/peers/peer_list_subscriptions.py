"""Subscriptions to peer lists of other nodes: fetched daily and applied.

A list may block. Hosts that it allows are only suggested, unless the operator lets it allow them.
The operator's own decisions always take precedence. A decision of a list is reverted when the list
no longer contains it.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from federation.errors import FederationError
from federation.origin import check_id, host_of
from node.database.tables import now
from node.errors import ConflictError, InvalidInputError, NotFoundError
from node.federating.models import Peer, PeerList
from node.federating.peers import fetching, peer_lists, peer_suggestions
from node.federating.peers import service as peers
from node.messages import msg
from node.principal import Principal
from node.queue import batched_writes, leases
from node.runtime import Node, UnitOfWork
from node.settings import Settings

MAX_LISTS = 10
REFRESH_INTERVAL = timedelta(days=1)
CSV_TYPES = ("text/csv", "text/plain")


def list_all(session: Session) -> list[PeerList]:
    """All subscriptions, oldest first."""
    return list(session.scalars(select(PeerList).order_by(PeerList.id)))


def subscribe(work: UnitOfWork, url: str, *, may_allow: bool = False) -> PeerList:
    """Subscribe to the list at `url`. If it is subscribed already, only `may_allow` changes.

    Raises `InvalidInputError` unless it is the URL of another server that is not blocked, and
    `ConflictError` beyond `MAX_LISTS`.
    """
    url = url.strip()
    try:
        check_id(url, frozenset(work.settings.private_hosts))
    except FederationError as error:
        raise InvalidInputError(
            msg("The address of the list is not valid."),
            {"url": msg("Enter an address such as https://moothall.example.gov.uk/peers.csv")},
        ) from error
    if host_of(url) == work.settings.authority:
        raise InvalidInputError(
            msg("You cannot subscribe to your own server’s list."),
            {"url": msg("Enter the address of another server’s list")},
        )
    if peers.is_blocked(work.session, host_of(url)):
        raise InvalidInputError(
            msg("The list is on a blocked server."),
            {"url": msg("Enter the address of a list on a server that is not blocked")},
        )
    row = work.session.scalar(select(PeerList).where(PeerList.url == url))
    if row is None:
        if len(list_all(work.session)) >= MAX_LISTS:
            raise ConflictError(
                msg(
                    "This server is already subscribed to %(most)s lists, which is the "
                    "maximum. Unsubscribe from one before you subscribe to another.",
                    most=MAX_LISTS,
                )
            )
        row = PeerList(url=url)
        work.session.add(row)
    row.may_allow, row.due_at, row.attempts = may_allow, now(), 0
    work.session.flush()
    work.audit("peer-list.subscribe", url, may_allow=may_allow)
    work.wake(PeerList.JOB)
    return row


def unsubscribe(node: Node, by: Principal, url: str) -> None:
    """Unsubscribe from a list and revert its decisions, in batches. Call it outside a transaction;
    after an interruption, call it again. Raises `NotFoundError`.
    """
    while not _try_unsubscribe(node, by, url.strip()):
        apply_lists(node, by)


def _try_unsubscribe(node: Node, by: Principal, url: str) -> bool:
    """Empty the list, and delete it once no host owes its state to it. Returns whether it is
    deleted.
    """
    with node.work(by=by) as work:
        query = select(PeerList).where(PeerList.url == url).with_for_update()
        row = work.session.scalar(query)
        if row is None:
            raise NotFoundError(msg("This server is not subscribed to this list."))
        row.body = ""
        decided = select(Peer.id).where(Peer.peer_list_id == row.id).limit(1)
        if work.session.scalar(decided) is not None:
            return False
        is_suggested = Peer.found_from == host_of(url), Peer.state == peers.UNKNOWN
        work.session.execute(update(Peer).where(*is_suggested).values(found_from=None, comment=""))
        work.session.delete(row)
        work.audit("peer-list.unsubscribe", url)
        return True


@leases.wakes_for_next(PeerList)
def run_job(node: Node) -> None:
    """The job: fetch and apply all due lists, one after the other. A list that cannot be fetched
    keeps its decisions.
    """
    leases.process_queue(node, PeerList, partial(_refresh, node))


def _refresh(node: Node, leased: leases.Lease) -> None:
    with node.reading() as session:
        url = session.get_one(PeerList, leased.id).url
    body = fetching.fetch_resource(node, url, CSV_TYPES, approved_by_operator=True).body
    contents = peer_lists.parse_list(body)
    with node.work(by=Principal.actor(url)) as work:
        row = work.session.get(PeerList, leased.id, with_for_update=True)
        if row is None:
            return
        row.body = peer_lists.dump_csv(contents.entries)
        row.entries, row.fetched_at = len(contents.entries), now()
        row.outcome = f"{len(contents.errors)} lines could not be used" if contents.errors else ""
    apply_lists(node, Principal.actor(url))
    # Rescheduled only once applied: if the process is killed before, the lease expires.
    with node.work(by=Principal.actor(url)) as work:
        row = work.session.get(PeerList, leased.id, with_for_update=True)
        if row is None:
            return
        row.attempts, row.leased_until = 0, None
        if row.due_at == leased.due_at:
            row.due_at = now() + REFRESH_INTERVAL


def apply_lists(node: Node, by: Principal) -> None:
    """Give each host the state that all lists together say, in batches; blocks take precedence. The
    lists are parsed before the first transaction.
    """
    with node.reading() as session:
        lists = list_all(session)
    decisions, suggested = _merge_lists(node.settings, lists)
    with node.reading() as session:
        states = select(Peer.host, Peer.state, Peer.peer_list_id)
        rows = {row.host: row for row in session.execute(states)}
    pending = [host for host, row in rows.items() if row.peer_list_id and host not in decisions]
    pending += [host for host in decisions if not _is_applied(rows.get(host), *decisions[host])]
    changes = 0

    def apply_batch(work: UnitOfWork) -> bool:
        nonlocal changes
        for host in pending[: peer_lists.BATCH_SIZE]:
            changes += _apply_to_peer(peers.get_or_create(work.session, host), decisions.get(host))
        batched_writes.enqueue(work, peers.ENFORCE_BLOCKS)
        del pending[: peer_lists.BATCH_SIZE]
        return bool(pending)

    if pending:
        batched_writes.run_in_batches(node, by, apply_batch)
        with node.work(by=by) as work:
            work.audit("peer-list.apply", work.settings.authority, changes=changes)
            peers.enforce_decisions(work)
    for source_host, hosts in suggested.items():
        with node.work(by=by) as work:
            peer_suggestions.suggest(work, hosts, source_host)


def _is_applied(row: Any, list_id: int, entry: peer_lists.PeerListEntry) -> bool:
    """Whether a host has the state of this entry already, or one that the operator decided."""
    if row is None:
        return False
    by_operator = row.state != peers.UNKNOWN and row.peer_list_id is None
    return by_operator or (row.state, row.peer_list_id) == (entry.state, list_id)


def _apply_to_peer(row: Peer, decision: tuple[int, peer_lists.PeerListEntry] | None) -> bool:
    """Give a host the state that a list decided, or reset it. Returns whether it changed."""
    if decision is None:
        if row.peer_list_id is None:
            return False
        row.state, row.peer_list_id, row.comment = peers.UNKNOWN, None, ""
        return True
    list_id, entry = decision
    if _is_applied(row, list_id, entry):
        return False
    row.state, row.peer_list_id = entry.state, list_id
    row.comment, row.found_from = entry.comment, None
    return True


def _merge_lists(
    settings: Settings, lists: Sequence[PeerList]
) -> tuple[dict[str, tuple[int, peer_lists.PeerListEntry]], dict[str, dict[str, str]]]:
    """The decisions of all lists, as list id and entry by host; and the suggestions, as comments by
    host, by the host that publishes the list.
    """
    blocks: dict[str, tuple[int, peer_lists.PeerListEntry]] = {}
    allows: dict[str, tuple[int, peer_lists.PeerListEntry]] = {}
    suggestions_by_host: dict[str, dict[str, str]] = {}
    for row in lists:
        suggestions = suggestions_by_host.setdefault(host_of(row.url), {})
        for entry in peer_lists.parse_list(row.body.encode()).entries if row.body else ():
            if entry.host == settings.authority:
                continue
            if entry.state == peers.BLOCKED:
                blocks.setdefault(entry.host, (row.id, entry))
            elif row.may_allow:
                allows.setdefault(entry.host, (row.id, entry))
            else:
                suggestions[entry.host] = entry.comment
    return allows | blocks, suggestions_by_host
