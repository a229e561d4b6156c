"""Which hosts this node exchanges data with: decisions of the operator and of lists, and their
consequences.

A block includes subdomains and takes precedence over an allowance. The exception: a host that the
operator allowed stays allowed if only a list blocks it or a domain above it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, delete, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from federation.origin import normalise_authority
from node.access.viewer import ANONYMOUS, Viewer
from node.database import change_tracking
from node.database.tables import insert_once, now
from node.errors import ConflictError, InvalidInputError, NotFoundError
from node.federating.models import Actor, Block, Delivery, Follow, Peer
from node.federating.peers.dead_letters import dead_letter_batch
from node.messages import msg
from node.queue import batched_writes
from node.queue.pruning import delete_surplus
from node.runtime import UnitOfWork
from node.settings import Settings
from node.text import one_line

# The number of values in one statement that every database accepts.
MAX_SQL_VALUES = 500
NEWLY_ALLOWED_JOB = "admission"
ALLOWED, BLOCKED, UNKNOWN = "allowed", "blocked", "unknown"
MAX_LEN_COMMENT = 500
# Hosts without a decision or suggestion that are kept: the most recently seen.
MAX_UNDECIDED = 10_000
HOST_BLOCKED_REASON = "This server has been blocked: nothing more is sent to it."


def is_allowed(session: Session, settings: Settings, host: str) -> bool:
    """Whether data may be exchanged with `host` (`host` or `host:port`), or it is this node."""
    if host == settings.authority:
        return True
    return host in allowed_among(session, settings, {host})


def allowed_among(session: Session, settings: Settings, hosts: set[str]) -> set[str]:
    """The hosts among these that data may be exchanged with."""
    if settings.federation == "open":
        return hosts - blocked_among(session, hosts)
    return explicitly_allowed_among(session, hosts)


def explicitly_allowed_among(session: Session, hosts: set[str]) -> set[str]:
    """The hosts among these that were allowed by name, in open mode too: they may see what is for
    peers.
    """
    return {
        host for host, state in _load_states(session, frozenset(hosts)).items() if state == ALLOWED
    }


def identify_server(session: Session, host: str) -> Viewer:
    """What another server, once it has proved its identity, reads as: as itself if it was allowed
    by name, else as anonymous.
    """
    return Viewer(host=host) if explicitly_allowed_among(session, {host}) else ANONYMOUS


def blocked_among(session: Session, hosts: set[str]) -> set[str]:
    """The hosts among these that are blocked by name or through a domain above them."""
    return {
        host for host, state in _load_states(session, frozenset(hosts)).items() if state == BLOCKED
    }


def prefetch_states(session: Session, hosts: Iterable[str]) -> None:
    """Load the states of these hosts with one query, for later calls in this transaction."""
    all_hosts = frozenset(hosts)
    states = _load_states(session, all_hosts)
    state_by_host = {host: {host: states[host]} if host in states else {} for host in all_hosts}
    _load_states.prime(
        session, {(frozenset({host}),): state for host, state in state_by_host.items()}
    )


def is_blocked(session: Session, host: str) -> bool:
    return bool(blocked_among(session, {host}))


def normalise_host(host: str) -> str:
    """`host` as stored in `Peer.host`. Raises `InvalidInputError` for an invalid name."""
    try:
        return normalise_authority(host)
    except ValueError as error:
        raise InvalidInputError(
            msg("The server name is not valid."),
            {"host": msg("Enter a server name, such as moothall.example.gov.uk")},
        ) from error


def decide(work: UnitOfWork, host: str, state: str, comment: str = "") -> Peer:
    """Allow or block a host for the operator, with the reason `comment`.

    Raises `InvalidInputError` for an invalid name, or this node's own.
    """
    host = normalise_host(host)
    if state not in {ALLOWED, BLOCKED}:
        raise InvalidInputError(msg("A server must be either allowed or blocked."))
    if host == work.settings.authority:
        raise InvalidInputError(
            msg("You entered an address on your own server."),
            {"host": msg("Enter the name of another server")},
        )
    peer = set_state(work, host, state, comment)
    enforce_decisions(work)
    return peer


def set_state(work: UnitOfWork, host: str, state: str, comment: str) -> Peer:
    """Store the operator's decision on a normalised `host`; `enforce` must follow."""
    peer = get_or_create(work.session, host)
    peer.state, peer.peer_list_id, peer.found_from, peer.asked_at = state, None, None, None
    peer.comment = one_line(comment, MAX_LEN_COMMENT) or peer.comment
    peer.is_to_greet = state == ALLOWED
    if peer.is_to_greet:
        work.wake(NEWLY_ALLOWED_JOB)
    work.audit(f"peer.{state}", host, comment=peer.comment)
    return peer


def reset_decision(work: UnitOfWork, host: str) -> Peer:
    """Remove the operator's decision on a host, which is then neither allowed nor blocked.

    Raises `NotFoundError` for an unknown host, and `ConflictError` if a list or a blocked domain
    above it would still decide.
    """
    host = normalise_host(host)
    peer = work.session.scalar(select(Peer).where(Peer.host == host))
    if peer is not None and peer.peer_list_id is not None:
        raise ConflictError(
            msg(
                "A list that this server subscribes to allows or blocks %(host)s. To "
                "override the list, allow or block the server yourself.",
                host=host,
            )
        )
    parent_domains = [other for other in _covering_domains(host) if other != host]
    query = select(Peer.host).where(Peer.host.in_(parent_domains), Peer.state == BLOCKED)
    if blocking_domain := work.session.scalar(query.limit(1)):
        raise ConflictError(
            msg(
                "%(host)s is blocked because %(by)s is blocked. Unblock %(by)s instead.",
                host=host,
                by=blocking_domain,
            )
        )
    if peer is None:
        raise NotFoundError(msg("%(host)s is not known to this server.", host=host))
    peer.state, peer.comment, peer.found_from = UNKNOWN, "", None
    work.audit("peer.undecided", host)
    enforce_decisions(work)
    return peer


def forget_host(work: UnitOfWork, host: str) -> None:
    """As `reset_decision`, and delete its row with the health record."""
    work.session.delete(reset_decision(work, host))
    work.session.flush()


def get_or_create(session: Session, host: str) -> Peer:
    """The row of `host`, created if there is none."""
    query = select(Peer).where(Peer.host == host)
    peer = session.scalar(query)
    if peer is not None:
        return peer
    _make_room_for_undecided(session)
    insert_once(session, Peer, host=host, state=UNKNOWN, last_answer="")
    return session.scalars(query).one()


def _make_room_for_undecided(session: Session) -> None:
    """Anyone can name any number of hosts, so the surplus is deleted at once."""
    is_undecided = Peer.state == UNKNOWN, Peer.found_from.is_(None)
    oldest_first = [Peer.heard_at.nulls_first()]
    delete_surplus(
        session, Peer, *is_undecided, max_rows=MAX_UNDECIDED - 1, oldest_first=oldest_first
    )


def enforce_decisions(work: UnitOfWork) -> None:
    """Apply all decisions to the data.

    Actors on blocked hosts are hidden, their follows end in both directions, and deliveries to them
    fail. Their content is kept, and shown again when the block is lifted. The first batch runs in
    this transaction, the rest in the job of long writes; meanwhile nothing is accepted from a
    blocked host or sent to it.
    """
    batched_writes.start(work, ENFORCE_BLOCKS)
    work.session.expire_all()


def _enforce_batch(work: UnitOfWork, _row: batched_writes.BatchedWrite) -> bool:
    """Apply decisions to one batch of rows. Returns whether there may be more."""
    session = work.session
    return (
        _update_blocked_batch(session, is_blocked=True)
        or _update_blocked_batch(session, is_blocked=False)
        or _delete_follows_batch(session)
        or _dead_letter_blocked_batch(session)
    )


def _update_blocked_batch(session: Session, *, is_blocked: bool) -> bool:
    """Hide actors of blocked hosts, or show those that are no longer blocked."""
    hosts_to_check = select(Actor.host).where(~Actor.is_local, Actor.is_blocked != is_blocked)
    if not is_blocked:
        hosts_to_check = hosts_to_check.where(~_is_blocked_by_us())
    for hosts in _chunk(_filter_hosts(session, hosts_to_check, is_blocked=is_blocked)):
        outdated = hosts_to_check.with_only_columns(Actor.id).where(Actor.host.in_(hosts))
        ids = batched_writes.lock_batch(session, Actor, outdated)
        correct = update(Actor).where(Actor.id.in_(ids)).values(is_blocked=is_blocked)
        session.execute(correct, execution_options=batched_writes.NO_SESSION_SYNC)
        if len(ids) == batched_writes.BATCH_SIZE or batched_writes.is_any_left(session, outdated):
            return True
    return False


def _is_blocked_by_us() -> ColumnElement[bool]:
    our_actor = aliased(Actor)
    return exists().where(
        Block.blocked_id == Actor.id, Block.blocker_id == our_actor.id, our_actor.is_local
    )


def _delete_follows_batch(session: Session) -> bool:
    follow_actors = select(Follow.follower_id).union(select(Follow.followed_id))
    following_hosts = select(Actor.host).where(~Actor.is_local, Actor.id.in_(follow_actors))
    for hosts in _chunk(_filter_hosts(session, following_hosts, is_blocked=True)):
        actors_there = select(Actor.id).where(Actor.host.in_(hosts))
        condition = or_(Follow.follower_id.in_(actors_there), Follow.followed_id.in_(actors_there))
        follows = select(Follow.id).where(condition)
        ids = batched_writes.lock_batch(session, Follow, follows)
        delete_follows = delete(Follow).where(Follow.id.in_(ids))
        session.execute(delete_follows, execution_options=batched_writes.NO_SESSION_SYNC)
        if len(ids) == batched_writes.BATCH_SIZE or batched_writes.is_any_left(session, follows):
            return True
    return False


def _dead_letter_blocked_batch(session: Session) -> bool:
    waiting = select(Delivery.host).where(Delivery.state == Delivery.WAITING_STATE)
    return any(
        dead_letter_batch(session, HOST_BLOCKED_REASON, Delivery.host.in_(hosts))
        for hosts in _chunk(_filter_hosts(session, waiting, is_blocked=True))
    )


def _filter_hosts(session: Session, hosts: Select[str], *, is_blocked: bool) -> set[str]:
    """The hosts in a query that are blocked, or those that are not."""
    all_hosts = _load_hosts(session, hosts)
    blocked = blocked_among(session, all_hosts)
    return blocked if is_blocked else all_hosts - blocked


ENFORCE_BLOCKS = batched_writes.BatchedWriteKind("enforce-blocks", _enforce_batch)


@change_tracking.cached(
    {"peer": {"host", "state", "peer_list_id", change_tracking.ADDED, change_tracking.REMOVED}}
)
def _load_states(session: Session, hosts: frozenset[str]) -> dict[str, str]:
    """The effective state of each host; unknown ones are left out."""
    covering = {host: _covering_domains(host) for host in hosts}
    names = {name for domains in covering.values() for name in domains}
    decisions: dict[str, tuple[str, bool]] = {}
    for batch in _chunk(names):
        query = select(Peer.host, Peer.state, Peer.peer_list_id).where(Peer.host.in_(batch))
        decisions |= {
            row.host: (row.state, row.peer_list_id is None) for row in session.execute(query)
        }
    states = {
        host: _effective_state(
            host, [decisions[name] for name in domains if name in decisions], decisions
        )
        for host, domains in covering.items()
    }
    return {host: state for host, state in states.items() if state is not None}


def _effective_state(
    host: str, covering: Iterable[tuple[str, bool]], decisions: dict[str, tuple[str, bool]]
) -> str | None:
    """A host's state, from the decisions (state, by operator) on it and the domains above it, and
    by name.
    """
    blocks = {by_operator for state, by_operator in covering if state == BLOCKED}
    own_decision = decisions.get(host)
    if True in blocks or (blocks and own_decision != (ALLOWED, True)):
        return BLOCKED
    return own_decision[0] if own_decision else None


def _covering_domains(host: str) -> tuple[str, ...]:
    """The names by which `host` may be blocked: itself, without its port, and parent domains."""
    if host.startswith("["):
        return (host,)
    name = host.partition(":")[0]
    labels = name.split(".")
    is_number = labels[-1].isdigit()
    parents = [] if is_number else [".".join(labels[index:]) for index in range(1, len(labels))]
    return tuple(dict.fromkeys((host, name, *parents)))


def _load_hosts(session: Session, query: Select[str]) -> set[str]:
    return set(session.scalars(query.distinct()))


def _chunk(names: Iterable[str]) -> Iterable[Sequence[str]]:
    sorted_names = sorted(names)
    return [
        sorted_names[start : start + MAX_SQL_VALUES]
        for start in range(0, len(sorted_names), MAX_SQL_VALUES)
    ]


def record_seen(session: Session, host: str, at: datetime | None = None) -> None:
    """Record that a message from `host` was accepted."""
    get_or_create(session, host).heard_at = at or now()


def health_state(peer: Peer) -> str:
    """The key of the label that pages show: working, failing, unreachable or new."""
    if peer.failures and peer.try_after:
        return "unreachable"
    if peer.failed_at and (peer.delivered_at is None or peer.failed_at > peer.delivered_at):
        return "failing"
    if peer.delivered_at or peer.heard_at:
        return "working"
    return "new"
