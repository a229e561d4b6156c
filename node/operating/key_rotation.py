"""Replaces the signing keys of our actors.

Other servers may still be processing messages signed with the old keys, so actors list these beside
the new ones for a while, and their signatures stay valid. Followers get an `Update` of the actor
when the keys change, and again when the old keys are removed.

The council, the node and the officers get new keys in one transaction. The actors of projects, of
which there may be thousands, copy the keys of their council in batches; then the updates are sent,
in batches too. Progress is stored, so any process can continue.
"""

import re
import secrets
from collections.abc import Iterable

from sqlalchemy import ColumnElement, Select, delete, func, select
from sqlalchemy.orm import Session, selectinload

from federation.acceptance import MAX_FORWARDED_AGE
from federation.signatures import generate_ed25519, generate_rsa, public_pem
from federation.signatures.algorithms import KeyAlgorithm
from federation.signatures.keys import PrivateKey
from node.councils import service as councils
from node.database.tables import now
from node.federating.identity.actors import TOMBSTONE
from node.federating.models import Actor, ActorKey
from node.officers import service as officers
from node.principal import Principal
from node.projects import group_actor
from node.projects.models import Project, ProjectState
from node.queue import batched_writes
from node.queue.error_isolation import for_each
from node.runtime import Node, UnitOfWork

JOB = "old-keys"
# Other servers forward our messages for this long, and recipients then need the key to verify them.
KEY_OVERLAP = MAX_FORWARDED_AGE
# Batch sizes, in actors per transaction: copying keys writes four rows for each, publishing queues
# a delivery for each follower.
COPY_BATCH_SIZE, PUBLISH_BATCH_SIZE = 100, 20
KEY_ID_PATTERN = re.compile(r"(.*?)(?:-([0-9]+)(?:-[0-9a-f]+)?)?")
IS_RETIRED = ActorKey.retired_at.is_not(None)
KeyPairs = dict[str, str]


def generate_successor_keys(node: Node) -> KeyPairs:
    """Generate a successor of every key that the council, the node and the officers sign with.

    Returns new private keys by the public key that they replace, all PEM. Generating takes long, so
    it is done before the write transaction.
    """
    with node.reading() as session:
        current = {
            key.public_pem: key.private_pem for key in session.scalars(_select_signing_keys())
        }
    return {
        public: _generate_same_type(PrivateKey("", private or ""))
        for public, private in current.items()
    }


def rotate(work: UnitOfWork, pairs: KeyPairs, *, drop_old: bool = False) -> int:
    """Have our actors sign with the keys of `generate_successor_keys`, and start the long write
    that copies them to projects' actors and notifies followers. Returns the number of actors.

    `drop_old` deletes retired keys at once, because someone else may have them. Actors of projects
    lose those too when they copy the keys of their council.
    """
    session, retired_at = work.session, now()
    changed: dict[Actor, None] = {}
    for old_key in session.scalars(_select_signing_keys().order_by(ActorKey.id)).all():
        private_pem = pairs.get(old_key.public_pem)
        if private_pem is None:  # created after `generate_successor_keys`
            continue
        actor = old_key.actor
        key_id = _next_key_id(old_key.key_id)
        old_key.retired_at = retired_at
        new_key = ActorKey(
            key_id=key_id, public_pem=public_pem(private_pem), private_pem=private_pem
        )
        new_key.asserts = old_key.asserts
        actor.keys.append(new_key)
        changed[actor] = None
    session.flush()
    if drop_old:
        _delete_retired_keys_of(session, changed)
    actor_count = len(changed) + (
        session.scalar(_select_project_actors().with_only_columns(func.count())) or 0
    )
    batched_writes.start(work, COPY_KEYS)
    work.audit("keys.rotate", councils.require_own(session).actor.uri, actors=actor_count)
    return actor_count


def _copy_keys_batch(work: UnitOfWork, row: batched_writes.BatchedWrite) -> bool:
    """Copy the council's current keys to a batch of projects' actors; False after the last."""
    council = councils.require_own(work.session).actor
    remaining = _select_project_actors().where(Actor.id > row.position).order_by(Actor.id)
    query = remaining.options(selectinload(Actor.keys)).limit(COPY_BATCH_SIZE)
    actors = work.session.scalars(query).all()
    for actor in actors:
        group_actor.copy_council_keys(actor, council)
        row.position = actor.id
    if len(actors) == COPY_BATCH_SIZE:
        return True
    batched_writes.start(work, PUBLISH_KEYS)
    return False


def _publish_batch(work: UnitOfWork, row: batched_writes.BatchedWrite) -> bool:
    """Send the followers of a batch of our actors an `Update`; False after the last batch."""
    remaining = Actor.is_local, Actor.kind != TOMBSTONE, Actor.id > row.position
    query = select(Actor).where(*remaining).order_by(Actor.id).limit(PUBLISH_BATCH_SIZE)
    actors = work.session.scalars(query).all()
    for actor in actors:
        _publish_actor_update(work, actor)
        row.position = actor.id
    return len(actors) == PUBLISH_BATCH_SIZE


COPY_KEYS = batched_writes.BatchedWriteKind("take-new-keys", _copy_keys_batch)
PUBLISH_KEYS = batched_writes.BatchedWriteKind("tell-new-keys", _publish_batch)
BATCHED_WRITES = COPY_KEYS, PUBLISH_KEYS


def run_to_completion(node: Node) -> bool:
    """Complete a rotation now, for the command line. Returns False if the job of long writes has to
    complete it.
    """
    for kind in BATCHED_WRITES:
        batched_writes.run_job(node, [kind])
    names = [kind.name for kind in BATCHED_WRITES]
    unfinished = select(batched_writes.BatchedWrite.id).where(
        batched_writes.BatchedWrite.kind.in_(names)
    )
    with node.reading() as session:
        return session.scalar(unfinished.limit(1)) is None


def run_job(node: Node) -> None:
    """Job: delete the keys that were retired longer than `KEY_OVERLAP` ago."""
    is_expired = ActorKey.retired_at < now() - KEY_OVERLAP
    with node.reading() as session:
        owners = select(ActorKey.actor_id).where(is_expired).distinct().order_by(ActorKey.actor_id)
        actor_ids = session.scalars(owners).all()
    for_each(node, JOB, actor_ids, lambda actor_id: _delete_expired(node, actor_id, is_expired))


def _delete_expired(node: Node, actor_id: int, is_expired: ColumnElement[bool]) -> None:
    with node.work(by=Principal.job(JOB)) as work:
        work.session.execute(delete(ActorKey).where(ActorKey.actor_id == actor_id, is_expired))
        _publish_actor_update(work, work.session.get_one(Actor, actor_id))


def _select_signing_keys() -> Select[ActorKey]:
    """The current keys of our actors, without those of projects, which copy the council's, and of
    closed actors, which no one can look up any more.
    """
    is_ours = ActorKey.actor.has(
        Actor.is_local & Actor.kind.not_in((TOMBSTONE, group_actor.GROUP_KIND))
    )
    return select(ActorKey).where(is_ours, ActorKey.private_pem.is_not(None), ~IS_RETIRED)


def _select_project_actors() -> Select[Actor]:
    """The actors of our published projects, private ones included: these may become public."""
    actor_ids = select(Project.actor_id).where(Project.state == ProjectState.published)
    return select(Actor).where(Actor.is_local, Actor.id.in_(actor_ids))


def _generate_same_type(key: PrivateKey) -> str:
    return generate_ed25519() if key.algorithm is KeyAlgorithm.ed25519 else generate_rsa()


def _next_key_id(key_id: str) -> str:
    """The id of the key that replaces `key_id`: `…#main-key-2-9f31c0` after `…#main-key`.

    The random part keeps ids unique after an old backup is restored, when the number repeats.
    """
    stem, number = KEY_ID_PATTERN.fullmatch(key_id).groups()  # type: ignore[union-attr]  # matches any string
    return f"{stem}-{int(number or 1) + 1}-{secrets.token_hex(3)}"


def _delete_retired_keys_of(session: Session, actors: Iterable[Actor]) -> None:
    ids = [actor.id for actor in actors]
    session.execute(delete(ActorKey).where(ActorKey.actor_id.in_(ids), IS_RETIRED))
    session.expire_all()


def _publish_actor_update(work: UnitOfWork, actor: Actor) -> None:
    """Send an actor's followers an `Update` with its current document."""
    if actor.kind == "Organization":
        councils.publish_actor_update(work)
    elif actor.kind == officers.ACTOR_KIND:
        officers.publish_actor_update(work, actor)
    elif actor.kind == group_actor.GROUP_KIND:
        project = work.session.scalar(select(Project).where(Project.actor_id == actor.id))
        if project is not None:
            group_actor.publish_actor_update(work, project, actor)
