"""Actors: ours with their keys, and what we know of others'."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from federation.origin import host_of, same_origin, without_fragment
from federation.signatures import PrivateKey, PublicKey, Scheme, generate_ed25519, generate_rsa
from federation.signatures.algorithms import Algorithm
from federation.signatures.keys import public_pem
from federation.vocabulary import RFC9421, ActorDocument
from federation.webfinger import USERNAME
from node import change_tracking
from node.db import insert_once, now
from node.errors import NotFoundError
from node.federating import local_uris, signature_schemes
from node.federating.models import Actor, ActorKey
from node.messages import msg
from node.settings import Settings
from node.text import one_line

NODE_USERNAME = "node"
MAX_LEN_NAME = 300
# The kind of an actor that is no more.
TOMBSTONE = "Tombstone"
_ACTIVE_LOCAL = Actor.is_local, Actor.kind != TOMBSTONE
MAX_LEN_ABOUT = 5_000
# By this name a session keeps the actors whose turn it is.
LOCKED_ACTORS_KEY = "actors whose turn it is"


def by_uri(session: Session, uri: str) -> Actor | None:
    taken: Actor | None = session.info.get(LOCKED_ACTORS_KEY, {}).get(uri)
    if taken is not None and taken in session:
        return taken
    return session.scalar(select(Actor).where(Actor.uri == uri))


def on_host(actor_id: InstrumentedAttribute[int], host: str) -> ColumnElement[bool]:
    """Whether the actor in a column is one of `host`."""
    return actor_id.in_(select(Actor.id).where(Actor.host == host))


def lock(session: Session, uris: Collection[str]) -> None:
    """Until the end of the transaction nobody else acts on what these actors say: what one says of
    a thing cannot overtake what it said of it before. By id, so that nobody waits in a circle.
    `by_uri` need not read them again.
    """
    theirs = select(Actor).where(Actor.uri.in_(uris)).order_by(Actor.id)
    rows = session.scalars(theirs.with_for_update(key_share=True))
    session.info[LOCKED_ACTORS_KEY] = {row.uri: row for row in rows}


@change_tracking.cached(
    {"actor": {"uri", "kind", "is_local", change_tracking.ADDED, change_tracking.REMOVED}}
)
def local_by_uri(session: Session, uri: str) -> Actor | None:
    """An actor of ours that is not closed."""
    return session.scalar(select(Actor).where(Actor.uri == uri, *_ACTIVE_LOCAL))


def local_by_username(session: Session, username: str) -> Actor | None:
    """An actor of ours that is not closed."""
    return session.scalar(select(Actor).where(Actor.username == username, *_ACTIVE_LOCAL))


def close(actor: Actor) -> None:
    """An actor is no more. The row of one of ours stays, to sign what says so; that of another
    server's, so that nothing more is taken from it.
    """
    actor.kind = TOMBSTONE


def node_actor(session: Session, settings: Settings) -> Actor:
    """The actor of the node itself. Raises `NotFoundError` before the node is founded."""
    actor = local_by_uri(session, local_uris.node_actor(settings))
    if actor is None:
        raise NotFoundError(msg("This server has not been set up yet."))
    return actor


def create_local(
    session: Session, settings: Settings, *, uri: str, kind: str, username: str, name: str, url: str
) -> Actor:
    """A new actor of this node, with keys of its own: RSA, and Ed25519 for proofs."""
    is_council, speaks = kind == "Organization", kind != "Application"
    actor = Actor(
        uri=uri,
        kind=kind,
        host=settings.authority,
        username=username,
        name=name,
        url=url,
        inbox=f"{uri}/inbox",
        shared_inbox=local_uris.shared_inbox(settings),
        outbox=f"{uri}/outbox" if speaks else None,
        followers=f"{uri}/followers" if speaks else None,
        projects=f"{uri}/projects" if is_council else None,
        digest=f"{uri}/projects/digest" if is_council else None,
        is_local=True,
        keys=[
            _new_key(f"{uri}#main-key", generate_rsa()),
            _new_key(f"{uri}#ed25519-key", generate_ed25519(), asserts=True),
        ],
    )
    session.add(actor)
    session.flush()
    return actor


def _new_key(key_id: str, private: str, *, asserts: bool = False) -> ActorKey:
    return ActorKey(
        key_id=key_id, public_pem=public_pem(private), private_pem=private, asserts=asserts
    )


def signing_key(actor: Actor, algorithm: Algorithm = Algorithm.rsa_sha256) -> PrivateKey:
    """The key with which a local actor signs so. Every server verifies RSA."""
    for row in actor.keys:
        if row.private_pem and row.retired_at is None:
            key = PrivateKey(row.key_id, row.private_pem)
            if key.algorithm is algorithm:
                return key
    raise NotFoundError(
        msg(
            "The actor %(uri)s has no %(algorithm)s signing key.",
            uri=actor.uri,
            algorithm=algorithm,
        )
    )


def proof_key(actor: Actor) -> PrivateKey:
    """The key with which a local actor makes integrity proofs."""
    return signing_key(actor, Algorithm.ed25519)


def upsert(session: Session, document: ActorDocument) -> Actor:
    """Store or refresh a remote actor and exactly the keys that its own document lists."""
    known = by_uri(session, document.id)
    if known is not None and known.is_local:
        return known
    told = _row_values(document)
    if known is None:  # another message of the same newcomer may be handled at the same moment
        insert_once(session, Actor, uri=document.id, is_local=False, **told)
    query = select(Actor).where(Actor.uri == document.id).with_for_update()
    actor = session.scalars(query).one()
    for name, value in told.items():
        setattr(actor, name, value)
    _replace_keys(session, actor, document.public_keys)
    if RFC9421 in document.implements:
        signature_schemes.save_advertised_scheme(session, actor.host, Scheme.rfc9421)
    session.flush()
    return actor


def trim_to_stored(document: ActorDocument) -> ActorDocument:
    """As much of what a document says as `remember` keeps, so that it takes up little memory until
    then.
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
        implements=(RFC9421,) if RFC9421 in document.implements else (),
    )


def _row_values(document: ActorDocument) -> dict[str, Any]:
    """What a document says of its actor, as far as it fits into a row."""
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
    """A fragment belongs to the actor whose document it is a part of, whoever else lists it."""
    own = {
        key.key_id: key
        for key in listed
        if "#" not in key.key_id or without_fragment(key.key_id) == actor.uri
    }
    elsewhere = ActorKey.key_id.in_(own), ActorKey.actor_id != actor.id
    session.execute(delete(ActorKey).where(*elsewhere))
    kept = [row for row in actor.keys if row.key_id in own]
    known = {row.key_id for row in kept}
    actor.keys = kept + [ActorKey(key_id=key_id) for key_id in own if key_id not in known]
    for row in actor.keys:
        row.public_pem, row.asserts = own[row.key_id].pem, own[row.key_id].asserts


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
            # Some servers look at the first alone.
            for key in sorted(actor.keys, key=lambda key: key.retired_at is not None)
        ),
        generator=node if actor.uri != node else None,
        implements=(RFC9421,),
        also_known_as=tuple(actor.also_known_as),
        moved_to=actor.moved_to,
    )
