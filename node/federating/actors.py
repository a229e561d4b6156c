"""Actors: ours with their keys, and what we know of others'."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.origin import host_of
from federation.signatures import PrivateKey, PublicKey, generate_rsa
from federation.signatures.keys import public_pem
from federation.vocabulary import Actor as ActorDocument
from node.db import now
from node.errors import NotFoundError
from node.federating import addresses
from node.federating.models import Actor, ActorKey
from node.settings import Settings

NODE_USERNAME = "node"


def by_uri(session: Session, uri: str) -> Actor | None:
    return session.scalar(select(Actor).where(Actor.uri == uri))


def local_by_uri(session: Session, uri: str) -> Actor | None:
    return session.scalar(select(Actor).where(Actor.uri == uri, Actor.is_local))


def local_by_username(session: Session, username: str) -> Actor | None:
    return session.scalar(select(Actor).where(Actor.username == username, Actor.is_local))


def node_actor(session: Session, settings: Settings) -> Actor:
    """The actor of the node itself. Raises `NotFoundError` before the node is founded."""
    actor = local_by_uri(session, addresses.node_actor(settings))
    if actor is None:
        raise NotFoundError("This node has not been set up yet.")
    return actor


def create_local(
    session: Session, settings: Settings, *, uri: str, kind: str, username: str, name: str, url: str
) -> Actor:
    """A new actor of this node, with an RSA key of its own."""
    private = generate_rsa()
    actor = Actor(
        uri=uri,
        kind=kind,
        host=settings.authority,
        username=username,
        name=name,
        url=url,
        inbox=f"{uri}/inbox",
        shared_inbox=addresses.shared_inbox(settings),
        outbox=f"{uri}/outbox",
        followers=f"{uri}/followers",
        projects=f"{uri}/projects" if kind == "Organization" else None,
        is_local=True,
        keys=[
            ActorKey(key_id=f"{uri}#main-key", public_pem=public_pem(private), private_pem=private)
        ],
    )
    session.add(actor)
    session.flush()
    return actor


def signing_key(actor: Actor) -> PrivateKey:
    """The key that signs for a local actor."""
    for key in actor.keys:
        if key.private_pem:
            return PrivateKey(key.key_id, key.private_pem)
    raise NotFoundError(f"The actor {actor.uri} has no key to sign with.")


def remember(session: Session, document: ActorDocument) -> Actor:
    """Store or refresh a remote actor and exactly the keys that its own document lists."""
    actor = by_uri(session, document.id)
    if actor is None:
        actor = Actor(uri=document.id, is_local=False)
        session.add(actor)
    elif actor.is_local:
        return actor
    actor.kind = document.type
    actor.host = host_of(document.id)
    actor.username = document.preferred_username or ""
    actor.name = document.name or document.preferred_username or document.id
    actor.about = document.summary or ""
    actor.url = document.url or document.id
    actor.inbox = document.inbox
    actor.shared_inbox = document.shared_inbox
    actor.outbox = document.outbox
    actor.followers = document.followers
    actor.projects = document.projects
    actor.fetched_at = now()
    _remember_keys(session, actor, document.public_keys)
    session.flush()
    return actor


def _remember_keys(session: Session, actor: Actor, listed: tuple[PublicKey, ...]) -> None:
    known = {key.key_id: key for key in actor.keys}
    for key in listed:
        if key.key_id in known:
            known[key.key_id].public_pem = key.pem
        else:
            actor.keys.append(ActorKey(key_id=key.key_id, public_pem=key.pem))
    actor.keys = [key for key in actor.keys if key.key_id in {item.key_id for item in listed}]
    session.flush()


def describe(actor: Actor) -> ActorDocument:
    """The document of a local actor."""
    return ActorDocument(
        id=actor.uri,
        type=actor.kind,
        preferred_username=actor.username,
        name=actor.name,
        summary=actor.about or None,
        url=actor.url,
        inbox=actor.inbox,
        outbox=actor.outbox,
        followers=actor.followers,
        projects=actor.projects,
        shared_inbox=actor.shared_inbox,
        public_keys=tuple(PublicKey(key.key_id, actor.uri, key.public_pem) for key in actor.keys),
    )
