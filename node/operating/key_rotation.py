"""The keys of our actors, made anew.

Others may still be reading what was signed with the old ones, so these are listed beside the new
ones for a while, and what they signed counts. Followers are told when the keys change, and again
when the old ones go.

The council, the node and the officers get new keys in one transaction. The actors of projects, of
which there may be thousands, take the keys of their council in portions; then all followers are
told, in portions too. Whichever process goes on finds in the tables what it needs.
"""

import re
import secrets
from collections.abc import Iterable

from sqlalchemy import ColumnElement, Select, delete, func, select
from sqlalchemy.orm import Session, selectinload

from federation.acceptance import MAX_FORWARDED_AGE
from federation.signatures import generate_ed25519, generate_rsa, public_pem
from federation.signatures.algorithms import Algorithm
from federation.signatures.keys import PrivateKey
from node import long_writes
from node.councils import service as councils
from node.db import now
from node.error_isolation import for_each
from node.federating.actors import TOMBSTONE
from node.federating.models import Actor, ActorKey
from node.officers import service as officers
from node.projects import group_actor
from node.projects.models import Project, ProjectState
from node.runtime import Node, UnitOfWork

JOB = "old-keys"
# As long as others pass on what we said, they look for the key that proves it.
OVERLAP = MAX_FORWARDED_AGE
# Actors of projects that take new keys in one transaction, four rows each; and actors whose
# followers are told in one.
MAX_KEY_COPIES, MAX_PUBLISHED = 100, 20
KEY_ID_PATTERN = re.compile(r"(.*?)(?:-([0-9]+)(?:-[0-9a-f]+)?)?")
IS_RETIRED = ActorKey.retired_at.is_not(None)
KeyPairs = dict[str, str]


def generate_keys(node: Node) -> KeyPairs:
    """A new private key for each that the council, the node and the officers sign with now, by the
    public one. It takes its time, so it is done before anything is written.
    """
    with node.reading() as session:
        known = {key.public_pem: key.private_pem for key in session.scalars(_select_signing_keys())}
    return {
        public: _generate_like(PrivateKey("", private or "")) for public, private in known.items()
    }


def rotate(work: UnitOfWork, pairs: KeyPairs, *, drop_old: bool = False) -> int:
    """Have our actors sign with the keys that were prepared, and tell their followers: a long
    write. Returns how many actors.

    `drop_old`: what the old keys signed counts no more: somebody else has them. Actors of projects
    keep none that their council does not have, once they take its new ones.
    """
    session, moment = work.session, now()
    changed: dict[Actor, None] = {}
    for old in session.scalars(_select_signing_keys().order_by(ActorKey.id)).all():
        private = pairs.get(old.public_pem)
        if private is None:  # made since
            continue
        actor = old.actor
        key_id = _next_key_id(old.key_id)
        old.retired_at = moment
        new = ActorKey(key_id=key_id, public_pem=public_pem(private), private_pem=private)
        new.asserts = old.asserts
        actor.keys.append(new)
        changed[actor] = None
    session.flush()
    if drop_old:
        _delete_retired_keys_of(session, changed)
    number = len(changed) + (
        session.scalar(_select_project_actors().with_only_columns(func.count())) or 0
    )
    long_writes.begin(work, COPY_KEYS)
    work.audit("keys.rotate", councils.require_own(session).actor.uri, actors=number)
    return number


def _copy_keys_some(work: UnitOfWork, row: long_writes.LongWrite) -> bool:
    """Actors of projects take the keys that the council has now."""
    council = councils.require_own(work.session).actor
    following = _select_project_actors().where(Actor.id > row.position).order_by(Actor.id)
    query = following.options(selectinload(Actor.keys)).limit(MAX_KEY_COPIES)
    actors = work.session.scalars(query).all()
    for actor in actors:
        group_actor.copy_council_keys(actor, council)
        row.position = actor.id
    if len(actors) == MAX_KEY_COPIES:
        return True
    long_writes.begin(work, PUBLISH_KEYS)
    return False


def _publish_some(work: UnitOfWork, row: long_writes.LongWrite) -> bool:
    """The followers of some of our actors are told."""
    ours = Actor.is_local, Actor.kind != TOMBSTONE, Actor.id > row.position
    query = select(Actor).where(*ours).order_by(Actor.id).limit(MAX_PUBLISHED)
    actors = work.session.scalars(query).all()
    for actor in actors:
        _publish_actor_update(work, actor)
        row.position = actor.id
    return len(actors) == MAX_PUBLISHED


COPY_KEYS = long_writes.LongWriteKind("take-new-keys", _copy_keys_some)
PUBLISH_KEYS = long_writes.LongWriteKind("tell-new-keys", _publish_some)
LONG_WRITES = COPY_KEYS, PUBLISH_KEYS


def finish(node: Node) -> bool:
    """Write what is left of a rotation, as a command does; False if something is left even then,
    which the job of long writes does.
    """
    for kind in LONG_WRITES:
        long_writes.run_job(node, [kind])
    names = [kind.name for kind in LONG_WRITES]
    left = select(long_writes.LongWrite.id).where(long_writes.LongWrite.kind.in_(names))
    with node.reading() as session:
        return session.scalar(left.limit(1)) is None


def run_job(node: Node) -> None:
    """The job: old keys that are old enough go."""
    old = ActorKey.retired_at < now() - OVERLAP
    with node.reading() as session:
        theirs = select(ActorKey.actor_id).where(old).distinct().order_by(ActorKey.actor_id)
        actor_ids = session.scalars(theirs).all()
    for_each(node, JOB, actor_ids, lambda actor_id: _delete_retired(node, actor_id, old))


def _delete_retired(node: Node, actor_id: int, old: ColumnElement[bool]) -> None:
    with node.work(by=JOB) as work:
        work.session.execute(delete(ActorKey).where(ActorKey.actor_id == actor_id, old))
        _publish_actor_update(work, work.session.get_one(Actor, actor_id))


def _select_signing_keys() -> Select[ActorKey]:
    """The keys that actors of ours sign with, but for those of projects. Those of closed ones are
    kept as they are: nobody can look them up any more.
    """
    ours = ActorKey.actor.has(
        Actor.is_local & Actor.kind.not_in((TOMBSTONE, group_actor.GROUP_KIND))
    )
    return select(ActorKey).where(ours, ActorKey.private_pem.is_not(None), ~IS_RETIRED)


def _select_project_actors() -> Select[Actor]:
    """The actors of projects of ours that can be looked up, now or once more may read them."""
    theirs = select(Project.actor_id).where(Project.state == ProjectState.published)
    return select(Actor).where(Actor.is_local, Actor.id.in_(theirs))


def _generate_like(key: PrivateKey) -> str:
    return generate_ed25519() if key.algorithm is Algorithm.ed25519 else generate_rsa()


def _next_key_id(key_id: str) -> str:
    """`…#main-key-2-9f31c0` after `…#main-key`.

    A number alone would come again after an old backup was restored, for another key.
    """
    stem, number = KEY_ID_PATTERN.fullmatch(key_id).groups()  # type: ignore[union-attr]  # fits all
    return f"{stem}-{int(number or 1) + 1}-{secrets.token_hex(3)}"


def _delete_retired_keys_of(session: Session, actors: Iterable[Actor]) -> None:
    ids = [actor.id for actor in actors]
    session.execute(delete(ActorKey).where(ActorKey.actor_id.in_(ids), IS_RETIRED))
    session.expire_all()


def _publish_actor_update(work: UnitOfWork, actor: Actor) -> None:
    """Tell the followers of an actor what its document says now."""
    if actor.kind == "Organization":
        councils.publish_actor_update(work)
    elif actor.kind == officers.ACTOR_KIND:
        officers.publish_actor_update(work, actor)
    elif actor.kind == group_actor.GROUP_KIND:
        project = work.session.scalar(select(Project).where(Project.actor_id == actor.id))
        if project is not None:
            group_actor.publish_actor_update(work, project, actor)
