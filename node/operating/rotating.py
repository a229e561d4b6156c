"""The keys of our actors, made anew.

Others may still be reading what was signed with the old ones, so these are listed beside the new
ones for a while, and what they signed counts. Followers are told when the keys change, and again
when the old ones go.
"""

import re
import secrets
from collections.abc import Iterable

from sqlalchemy import ColumnElement, Select, delete, select
from sqlalchemy.orm import Session

from federation.acceptance import PASSED_ON_WITHIN
from federation.signatures import generate_ed25519, generate_rsa, public_pem
from federation.signatures.algorithms import Algorithm
from federation.signatures.keys import PrivateKey
from node.councils import service as councils
from node.db import now
from node.federating.actors import CLOSED
from node.federating.models import Actor, ActorKey
from node.isolation import each
from node.officers import service as officers
from node.projects import group
from node.projects.models import Project
from node.runtime import Node, UnitOfWork

JOB = "old-keys"
# As long as others pass on what we said, they look for the key that proves it.
OVERLAP = PASSED_ON_WITHIN
NUMBERED = re.compile(r"(.*?)(?:-([0-9]+)(?:-[0-9a-f]+)?)?")
OLD = ActorKey.retired_at.is_not(None)
Pairs = dict[str, str]


def prepare(node: Node) -> Pairs:
    """A new private key for each that our actors sign with now, by the public one. It takes its
    time, so it is done before anything is written.
    """
    with node.reading() as session:
        known = {key.public_pem: key.private_pem for key in session.scalars(_signing())}
    return {public: _like(PrivateKey("", private or "")) for public, private in known.items()}


def rotate(work: UnitOfWork, pairs: Pairs, *, drop_old: bool = False) -> int:
    """Have our actors sign with the keys that were prepared, and tell their followers. Returns how
    many actors.

    `drop_old`: what the old keys signed counts no more, as of now: somebody else has them.
    """
    session, moment = work.session, now()
    changed: dict[Actor, None] = {}
    for old in session.scalars(_signing().order_by(ActorKey.id)).all():
        private = pairs.get(old.public_pem)
        if private is None:  # made since
            continue
        actor = old.actor
        key_id = _next_id(old.key_id)
        old.retired_at = moment
        new = ActorKey(key_id=key_id, public_pem=public_pem(private), private_pem=private)
        new.asserts = old.asserts
        actor.keys.append(new)
        changed[actor] = None
    session.flush()
    if drop_old:
        _drop(session, changed)
    _tell(work, changed)
    work.audit("keys.rotate", councils.require_own(session).actor.uri, actors=len(changed))
    return len(changed)


def work_off(node: Node) -> None:
    """The job: old keys that are old enough go."""
    old = ActorKey.retired_at < now() - OVERLAP
    with node.reading() as session:
        theirs = select(ActorKey.actor_id).where(old).distinct().order_by(ActorKey.actor_id)
        actor_ids = session.scalars(theirs).all()
    each(node, JOB, actor_ids, lambda actor_id: _drop_old(node, actor_id, old))


def _drop_old(node: Node, actor_id: int, old: ColumnElement[bool]) -> None:
    with node.work(by=JOB) as work:
        work.session.execute(delete(ActorKey).where(ActorKey.actor_id == actor_id, old))
        _tell(work, [work.session.get_one(Actor, actor_id)])


def _signing() -> Select[ActorKey]:
    """The keys that actors of ours sign with. Those of closed ones are kept as they are: nobody can
    look them up any more.
    """
    ours = ActorKey.actor.has(Actor.is_local & (Actor.kind != CLOSED))
    return select(ActorKey).where(ours, ActorKey.private_pem.is_not(None), ~OLD)


def _like(key: PrivateKey) -> str:
    return generate_ed25519() if key.algorithm is Algorithm.ed25519 else generate_rsa()


def _next_id(key_id: str) -> str:
    """`…#main-key-2-9f31c0` after `…#main-key`.

    A number alone would come again after an old backup was restored, for another key.
    """
    stem, number = NUMBERED.fullmatch(key_id).groups()  # type: ignore[union-attr]  # fits all
    return f"{stem}-{int(number or 1) + 1}-{secrets.token_hex(3)}"


def _drop(session: Session, actors: Iterable[Actor]) -> None:
    ids = [actor.id for actor in actors]
    session.execute(delete(ActorKey).where(ActorKey.actor_id.in_(ids), OLD))
    session.expire_all()


def _tell(work: UnitOfWork, actors: Iterable[Actor]) -> None:
    """Tell the followers of each actor what its document says now."""
    for actor in actors:
        if actor.kind == "Organization":
            councils.tell(work)
        elif actor.kind == officers.KIND:
            officers.tell(work, actor)
        elif actor.kind == group.KIND:
            project = work.session.scalar(select(Project).where(Project.actor_id == actor.id))
            if project is not None:
                group.say(work, project, actor)
