"""Actors: local ones with their keys, and stored copies of remote ones."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from federation.origin import host_of, same_origin, without_fragment
from federation.signatures import (
    PrivateKey,
    PublicKey,
    SignatureScheme,
    generate_ed25519,
    generate_rsa,
)
from federation.signatures.algorithms import KeyAlgorithm
from federation.signatures.keys import public_pem
from federation.vocabulary import RFC9421_CAPABILITY, ActorDocument
from federation.webfinger import USERNAME
from node.database import change_tracking
from node.database.tables import insert_once, now
from node.errors import NotFoundError
from node.federating.identity import local_uris, signature_schemes
from node.federating.models import Actor, ActorKey
from node.messages import msg
from node.settings import Settings
from node.text import one_line

NODE_USERNAME = "node"
MAX_LEN_NAME = 300
# `Actor.kind` of a closed or deleted actor.
TOMBSTONE = "Tombstone"
_ACTIVE_LOCAL_CONDITIONS = Actor.is_local, Actor.kind != TOMBSTONE
MAX_LEN_ABOUT = 5_000
# Key in `session.info` of the actors that `lock` has locked.
LOCKED_ACTORS_KEY = "locked actors"


def by_uri(session: Session, uri: str) -> Actor | None:
    """The actor with this URI; from the session if `lock` has loaded it."""
    locked: Actor | None = session.info.get(LOCKED_ACTORS_KEY, {}).get(uri)
    if locked is not None and locked in session:
        return locked
    return session.scalar(select(Actor).where(Actor.uri == uri))


def is_on_host(actor_id: InstrumentedAttribute[int], host: str) -> ColumnElement[bool]:
    """SQL condition: the actor with the id in this column is on `host`."""
    return actor_id.in_(select(Actor.id).where(Actor.host == host))


def lock(session: Session, uris: Collection[str]) -> None:
    """Lock actors until the end of the transaction, so that no other transaction handles their
    activities and none overtakes an earlier one. Rows are locked in order of id to avoid deadlocks;
    `by_uri` then needs no query.
    """
    query = select(Actor).where(Actor.uri.in_(uris)).order_by(Actor.id)
    rows = session.scalars(query.with_for_update(key_share=True))
    session.info[LOCKED_ACTORS_KEY] = {row.uri: row for row in rows}


@change_tracking.cached(
    {"actor": {"uri", "kind", "is_local", change_tracking.ADDED, change_tracking.REMOVED}}
)
def local_by_uri(session: Session, uri: str) -> Actor | None:
    """The local actor with this URI, unless it is closed."""
    return session.scalar(select(Actor).where(Actor.uri == uri, *_ACTIVE_LOCAL_CONDITIONS))


def local_by_username(session: Session, username: str) -> Actor | None:
    """The local actor with this username, unless it is closed."""
    return session.scalar(
        select(Actor).where(Actor.username == username, *_ACTIVE_LOCAL_CONDITIONS)
    )


def close(actor: Actor) -> None:
    """Mark an actor as closed. The row is kept: a local actor's to sign its Delete, a remote
    actor's so that its later activities are refused.
    """
    actor.kind = TOMBSTONE


def get_node_actor(session: Session, settings: Settings) -> Actor:
    """The actor of the node itself. Raises `NotFoundError` before the node is set up."""
    actor = local_by_uri(session, local_uris.node_actor(settings))
    if actor is None:
        raise NotFoundError(msg("This server has not been set up yet."))
    return actor


def create_local(
    session: Session, settings: Settings, *, uri: str, kind: str, username: str, name: str, url: str
) -> Actor:
    """Create an actor of this node with an RSA key, and an Ed25519 key for integrity proofs."""
    is_council, has_outbox = kind == "Organization", kind != "Application"
    actor = Actor(
        uri=uri,
        kind=kind,
        host=settings.authority,
        username=username,
        name=name,
        url=url,
        inbox=f"{uri}/inbox",
        shared_inbox=local_uris.shared_inbox(settings),
        outbox=f"{uri}/outbox" if has_outbox else None,
        followers=f"{uri}/followers" if has_outbox else None,
        projects=f"{uri}/projects" if is_council else None,
        digest=f"{uri}/projects/digest" if is_council else None,
        is_local=True,
        keys=[
            _create_key(f"{uri}#main-key", generate_rsa()),
            _create_key(f"{uri}#ed25519-key", generate_ed25519(), is_assertion_method=True),
        ],
    )
    session.add(actor)
    session.flush()
    return actor


def _create_key(key_id: str, private_pem: str, *, is_assertion_method: bool = False) -> ActorKey:
    return ActorKey(
        key_id=key_id,
        public_pem=public_pem(private_pem),
        private_pem=private_pem,
        asserts=is_assertion_method,
    )


def get_signing_key(actor: Actor, algorithm: KeyAlgorithm = KeyAlgorithm.rsa_sha256) -> PrivateKey:
    """The current key of a local actor for this algorithm; every server verifies RSA.

    Raises `NotFoundError` if it has none.
    """
    for row in actor.keys:
        if row.private_pem and row.retired_at is None:
            key = PrivateKey(row.key_id, row.private_pem)
            if key.algorithm is algorithm:
                return key
    raise NotFoundError(
        msg(
            "%(uri)s has no %(algorithm)s signing key.",
            uri=actor.uri,
            algorithm=algorithm,
        )
    )


def get_proof_key(actor: Actor) -> PrivateKey:
    """The key with which a local actor signs integrity proofs."""
    return get_signing_key(actor, KeyAlgorithm.ed25519)


def upsert(session: Session, document: ActorDocument) -> Actor:
    """Store or update a remote actor, with exactly the keys that its own document lists."""
    known = by_uri(session, document.id)
    if known is not None and known.is_local:
        return known
    values = _row_values(document)
    if known is None:  # another transaction may store it too
        insert_once(session, Actor, uri=document.id, is_local=False, **values)
    query = select(Actor).where(Actor.uri == document.id).with_for_update()
    actor = session.scalars(query).one()
    for name, value in values.items():
        setattr(actor, name, value)
    _replace_keys(session, actor, document.public_keys)
    if RFC9421_CAPABILITY in document.implements:
        signature_schemes.save_advertised_scheme(session, actor.host, SignatureScheme.rfc9421)
    session.flush()
    return actor


def keep_stored_properties(document: ActorDocument) -> ActorDocument:
    """A copy of a document with only the properties that `upsert` stores, so that it takes little
    memory in a cache.
    """
    return replace(
        document,
        preferred_username=(document.preferred_username or "")[:MAX_LEN_NAME],
        name=(document.name or "")[:MAX_LEN_NAME],
        summary=(document.summary or "")[:MAX_LEN_ABOUT],
        url=document.url if same_origin(document.url or "", document.id) else None,
        icon=None,
        location=None,
        also_known_as=(),
        moved_to=None,
        implements=(RFC9421_CAPABILITY,) if RFC9421_CAPABILITY in document.implements else (),
    )


def _row_values(document: ActorDocument) -> dict[str, Any]:
    """The column values of an actor's document, cut to the column lengths."""
    username, url = document.preferred_username or "", document.url or ""
    username = username if USERNAME.fullmatch(username) else ""
    return {
        "kind": document.type,
        "host": host_of(document.id),
        "username": username,
        "name": one_line(document.name or username, MAX_LEN_NAME) or document.id[:MAX_LEN_NAME],
        "about": (document.summary or "")[:MAX_LEN_ABOUT],
        "url": url if same_origin(url, document.id) else document.id,
        "inbox": document.inbox,
        "shared_inbox": document.shared_inbox,
        "outbox": document.outbox,
        "followers": document.followers,
        "projects": document.projects,
        "digest": document.digest,
        "fetched_at": now(),
    }


def _replace_keys(session: Session, actor: Actor, listed: tuple[PublicKey, ...]) -> None:
    """Store exactly the listed keys. A key id with a fragment belongs to the actor whose document
    it is part of, whichever other documents list it.
    """
    own_keys = {
        key.key_id: key
        for key in listed
        if "#" not in key.key_id or without_fragment(key.key_id) == actor.uri
    }
    of_other_actor = ActorKey.key_id.in_(own_keys), ActorKey.actor_id != actor.id
    session.execute(delete(ActorKey).where(*of_other_actor))
    remaining = [row for row in actor.keys if row.key_id in own_keys]
    stored_ids = {row.key_id for row in remaining}
    actor.keys = remaining + [
        ActorKey(key_id=key_id) for key_id in own_keys if key_id not in stored_ids
    ]
    for row in actor.keys:
        row.public_pem, row.asserts = (
            own_keys[row.key_id].pem,
            own_keys[row.key_id].is_assertion_method,
        )


def build_document(settings: Settings, actor: Actor) -> ActorDocument:
    """The document of a local actor."""
    node = local_uris.node_actor(settings)
    return ActorDocument(
        id=actor.uri,
        type=actor.kind,
        preferred_username=actor.username,
        name=actor.name,
        summary=actor.about or None,
        url=actor.url,
        attributed_to=actor.attributed_to,
        inbox=actor.inbox,
        outbox=actor.outbox,
        followers=actor.followers,
        following=local_uris.following(actor.uri) if actor.followers else None,
        featured=local_uris.featured(actor.uri) if actor.followers else None,
        icon=local_uris.icon(settings),
        published=actor.fetched_at,
        is_discoverable=not actor.is_for_peers,
        projects=actor.projects,
        digest=actor.digest,
        shared_inbox=actor.shared_inbox,
        public_keys=tuple(
            PublicKey(key.key_id, actor.uri, key.public_pem, key.asserts)
            # The current key first: some servers read no other.
            for key in sorted(actor.keys, key=lambda key: key.retired_at is not None)
        ),
        generator=node if actor.uri != node else None,
        implements=(RFC9421_CAPABILITY,),
        also_known_as=tuple(actor.also_known_as),
        moved_to=actor.moved_to,
    )
