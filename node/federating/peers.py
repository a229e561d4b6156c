"""Which hosts we speak with: what the operator and the lists say, and what follows from it.

A block covers the domains below it, and wins: only where a mere list blocks does the operator's
word that a host is allowed stand against it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, delete, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from federation.origin import normalise_authority
from node import change_tracking, long_writes
from node.db import insert_once, now
from node.errors import ConflictError, InvalidInputError, NotFoundError
from node.federating.dead_letters import dead_letter_batch
from node.federating.models import Actor, Block, Delivery, Follow, Peer
from node.messages import msg
from node.runtime import UnitOfWork
from node.settings import Settings
from node.text import one_line

# A statement takes so many values, and no more, on every database.
MAX_SQL_VALUES = 500
NEWLY_ALLOWED_JOB = "admission"
ALLOWED, BLOCKED, UNKNOWN = "allowed", "blocked", "unknown"
MAX_LEN_COMMENT = 500
# Hosts that nobody decided about and no list names: of more, those heard from longest ago go.
MAX_UNDECIDED = 10_000
HOST_BLOCKED = "This server has been blocked: nothing more is sent to it."


def is_allowed(session: Session, settings: Settings, host: str) -> bool:
    """Whether anything may be read from, sent to or taken from `host` (`host` or `host:port`)."""
    if host == settings.authority:
        return True
    return host in allowed_among(session, settings, {host})


def allowed_among(session: Session, settings: Settings, hosts: set[str]) -> set[str]:
    """Those of `hosts` that we speak with."""
    if settings.federation == "open":
        return hosts - blocked_among(session, hosts)
    return explicitly_allowed_among(session, hosts)


def explicitly_allowed_among(session: Session, hosts: set[str]) -> set[str]:
    """Those of `hosts` that the operator allowed, in open mode too: they get what is for peers."""
    return {
        host for host, state in _load_states(session, frozenset(hosts)).items() if state == ALLOWED
    }


def blocked_among(session: Session, hosts: set[str]) -> set[str]:
    """Those of `hosts` that are blocked, by their own name or with a domain above them."""
    return {
        host for host, state in _load_states(session, frozenset(hosts)).items() if state == BLOCKED
    }


def prefetch_states(session: Session, hosts: Iterable[str]) -> None:
    """Ask at once what will be asked of each of these hosts."""
    wanted = frozenset(hosts)
    found = _load_states(session, wanted)
    known = {host: {host: found[host]} if host in found else {} for host in wanted}
    _load_states.prime(session, {(frozenset({host}),): states for host, states in known.items()})


def is_blocked(session: Session, host: str) -> bool:
    return bool(blocked_among(session, {host}))


def normalise_host(host: str) -> str:
    """`host` as it stands in a row. Raises `InvalidInputError` for what is not a host."""
    try:
        return normalise_authority(host)
    except ValueError as error:
        raise InvalidInputError(
            msg("That is not a server name."),
            {"host": msg("Enter a server name, such as moothall.example.gov.uk")},
        ) from error


def decide(work: UnitOfWork, host: str, state: str, comment: str = "") -> Peer:
    """The operator's word: `allowed` or `blocked`; `comment` says why.

    Raises `InvalidInputError` for what is not a host, or is this node's own.
    """
    host = normalise_host(host)
    if state not in {ALLOWED, BLOCKED}:
        raise InvalidInputError(msg("A server must be either allowed or blocked."))
    if host == work.settings.authority:
        raise InvalidInputError(
            msg("That is your own server."), {"host": msg("Enter the name of another server")}
        )
    peer = set_state(work, host, state, comment)
    enforce(work)
    return peer


def set_state(work: UnitOfWork, host: str, state: str, comment: str) -> Peer:
    """Note what the operator says of `host`, which is a normal one; `enforce` has to follow."""
    peer = get_or_create(work.session, host)
    peer.state, peer.peer_list_id, peer.found_from, peer.asked_at = state, None, None, None
    peer.comment = one_line(comment, MAX_LEN_COMMENT) or peer.comment
    peer.is_to_greet = state == ALLOWED
    if peer.is_to_greet:
        work.wake(NEWLY_ALLOWED_JOB)
    work.audit(f"peer.{state}", host, comment=peer.comment)
    return peer


def reset_decision(work: UnitOfWork, host: str) -> Peer:
    """The operator takes back what was said of a host: neither allowed nor blocked.

    Raises `NotFoundError` for a host that is not known, `ConflictError` where it would stay
    blocked: by a list, or with a domain above it.
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
    above = [other for other in _covering_domains(host) if other != host]
    blocked = select(Peer.host).where(Peer.host.in_(above), Peer.state == BLOCKED)
    if by := work.session.scalar(blocked.limit(1)):
        raise ConflictError(
            msg(
                "%(host)s is blocked because %(by)s is blocked. Unblock %(by)s instead.",
                host=host,
                by=by,
            )
        )
    if peer is None:
        raise NotFoundError(msg("%(host)s is not known to this server.", host=host))
    peer.state, peer.comment, peer.found_from = UNKNOWN, "", None
    work.audit("peer.undecided", host)
    enforce(work)
    return peer


def forget_host(work: UnitOfWork, host: str) -> None:
    """As `undecide`, and nothing of how it went with the host is kept either."""
    work.session.delete(reset_decision(work, host))
    work.session.flush()


def get_or_create(session: Session, host: str) -> Peer:
    """The row of `host`, made if there is none."""
    query = select(Peer).where(Peer.host == host)
    known = session.scalar(query)
    if known is not None:
        return known
    _prune_undecided(session)
    insert_once(session, Peer, host=host, state=UNKNOWN, last_answer="")
    return session.scalars(query).one()


def _prune_undecided(session: Session) -> None:
    undecided = select(Peer.id).where(Peer.state == UNKNOWN, Peer.found_from.is_(None))
    newest_first = undecided.order_by(Peer.heard_at.desc().nulls_last(), Peer.id.desc())
    surplus = newest_first.offset(MAX_UNDECIDED - 1).limit(MAX_SQL_VALUES)
    # Said again outside: one that is decided about at this moment stays.
    still = Peer.state == UNKNOWN, Peer.found_from.is_(None)
    session.execute(delete(Peer).where(Peer.id.in_(surplus), *still))


def enforce(work: UnitOfWork) -> None:
    """Make what is here agree with what was decided.

    Of actors on blocked hosts nothing is shown, nobody follows them or is followed by them, and
    what waits for such a host is given up. What was said before is kept, and shown again once the
    host is no longer blocked. Where there is much, the job of long writes does the rest: nothing is
    taken from a blocked host or sent to it from now on.
    """
    long_writes.begin(work, ENFORCE_BLOCKS)
    work.session.expire_all()


def _enforce_batch(work: UnitOfWork, _row: long_writes.LongWrite) -> bool:
    """One portion of what does not agree with what was decided."""
    session = work.session
    return (
        _update_blocked_batch(session, is_blocked=True)
        or _update_blocked_batch(session, is_blocked=False)
        or _delete_follows_batch(session)
        or _dead_letter_blocked_batch(session)
    )


def _update_blocked_batch(session: Session, *, is_blocked: bool) -> bool:
    """Hide actors of blocked hosts, or show those that nobody blocks any more."""
    others = select(Actor.host).where(~Actor.is_local, Actor.is_blocked != is_blocked)
    if not is_blocked:
        others = others.where(~_is_blocked_by_us())
    for hosts in _chunk(_filter_hosts(session, others, is_blocked=is_blocked)):
        wrong = others.with_only_columns(Actor.id).where(Actor.host.in_(hosts))
        ids = long_writes.lock_batch(session, Actor, wrong)
        right = update(Actor).where(Actor.id.in_(ids)).values(is_blocked=is_blocked)
        session.execute(right, execution_options=long_writes.UNSYNCHRONISED)
        if len(ids) == long_writes.BATCH_SIZE or long_writes.is_any_left(session, wrong):
            return True
    return False


def _is_blocked_by_us() -> ColumnElement[bool]:
    ours = aliased(Actor)
    return exists().where(Block.blocked_id == Actor.id, Block.blocker_id == ours.id, ours.is_local)


def _delete_follows_batch(session: Session) -> bool:
    either_side = select(Follow.follower_id).union(select(Follow.followed_id))
    others = select(Actor.host).where(~Actor.is_local, Actor.id.in_(either_side))
    for hosts in _chunk(_filter_hosts(session, others, is_blocked=True)):
        there = select(Actor.id).where(Actor.host.in_(hosts))
        either = or_(Follow.follower_id.in_(there), Follow.followed_id.in_(there))
        follows = select(Follow.id).where(either)
        ids = long_writes.lock_batch(session, Follow, follows)
        ended = delete(Follow).where(Follow.id.in_(ids))
        session.execute(ended, execution_options=long_writes.UNSYNCHRONISED)
        if len(ids) == long_writes.BATCH_SIZE or long_writes.is_any_left(session, follows):
            return True
    return False


def _dead_letter_blocked_batch(session: Session) -> bool:
    waiting = select(Delivery.host).where(Delivery.state == Delivery.WAITING)
    return any(
        dead_letter_batch(session, HOST_BLOCKED, Delivery.host.in_(hosts))
        for hosts in _chunk(_filter_hosts(session, waiting, is_blocked=True))
    )


def _filter_hosts(session: Session, hosts: Select[str], *, is_blocked: bool) -> set[str]:
    """Those of `hosts` that are blocked, or those that are not."""
    found = _load_hosts(session, hosts)
    blocked = blocked_among(session, found)
    return blocked if is_blocked else found - blocked


ENFORCE_BLOCKS = long_writes.LongWriteKind("enforce-blocks", _enforce_batch)


@change_tracking.cached(
    {"peer": {"host", "state", "peer_list_id", change_tracking.ADDED, change_tracking.REMOVED}}
)
def _load_states(session: Session, hosts: frozenset[str]) -> dict[str, str]:
    """What is decided of each of `hosts`; those that nothing is known of are left out."""
    covering = {host: _covering_domains(host) for host in hosts}
    names = {name for every in covering.values() for name in every}
    known: dict[str, tuple[str, bool]] = {}
    for portion in _chunk(names):
        query = select(Peer.host, Peer.state, Peer.peer_list_id).where(Peer.host.in_(portion))
        known |= {row.host: (row.state, row.peer_list_id is None) for row in session.execute(query)}
    found = {
        host: _effective_state(host, [known[name] for name in every if name in known], known)
        for host, every in covering.items()
    }
    return {host: state for host, state in found.items() if state is not None}


def _effective_state(
    host: str, said: Iterable[tuple[str, bool]], known: dict[str, tuple[str, bool]]
) -> str | None:
    """`said` is what is known of the host and of the domains above it: a state, and whether the
    operator decided it.
    """
    blocks = {by_operator for state, by_operator in said if state == BLOCKED}
    own = known.get(host)
    if True in blocks or (blocks and own != (ALLOWED, True)):
        return BLOCKED
    return own[0] if own else None


def _covering_domains(host: str) -> tuple[str, ...]:
    """The names by which `host` may be blocked: its own, without a port, and domains above it."""
    if host.startswith("["):
        return (host,)
    name = host.partition(":")[0]
    labels = name.split(".")
    is_number = labels[-1].isdigit()
    above = [] if is_number else [".".join(labels[at:]) for at in range(1, len(labels))]
    return tuple(dict.fromkeys((host, name, *above)))


def _load_hosts(session: Session, query: Select[str]) -> set[str]:
    return set(session.scalars(query.distinct()))


def _chunk(names: Iterable[str]) -> Iterable[Sequence[str]]:
    listed = sorted(names)
    return [
        listed[start : start + MAX_SQL_VALUES] for start in range(0, len(listed), MAX_SQL_VALUES)
    ]


def record_seen(session: Session, host: str, at: datetime | None = None) -> None:
    """`host` sent us something that we accepted."""
    get_or_create(session, host).heard_at = at or now()


def health_state(peer: Peer) -> str:
    """One of: working, failing, unreachable, new. The pages put it in words."""
    if peer.failures and peer.try_after:
        return "unreachable"
    if peer.failed_at and (peer.delivered_at is None or peer.failed_at > peer.delivered_at):
        return "failing"
    if peer.delivered_at or peer.heard_at:
        return "working"
    return "new"
