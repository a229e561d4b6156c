"""A node and a peer for measurements: SQLite in a temporary folder, no sockets."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask

from federation.signatures import PrivateKey, PublicKey, generate_rsa, public_pem, sign
from federation.vocabulary import ActorDocument
from node.app import create_app, get_node
from node.federating.identity import actors
from node.federating.peers import service as peers
from node.principal import Principal
from node.settings import Settings
from node.testing.nodes import make_settings, set_up_database

PEER_URI = "https://peer.test/councils/peer"


@contextmanager
def created_node(**more: object) -> Iterator[tuple[Settings, PrivateKey]]:
    """The settings of a node that knows and allows one peer, and that peer's key. `more` are
    settings of its own.
    """
    with TemporaryDirectory() as folder:
        database = f"sqlite:///{Path(folder) / 'bench.db'}"
        set_up_database("aldermoor", database, Path(folder))
        settings = make_settings("aldermoor", database, Path(folder), **more)
        node = get_node(create_app(settings))
        key = PrivateKey(f"{PEER_URI}#main-key", generate_rsa())
        with node.work(by=Principal.job("bench")) as work:
            peers.decide(work, "peer.test", peers.ALLOWED)
            public = PublicKey(key.key_id, PEER_URI, public_pem(key.pem))
            document = ActorDocument(
                PEER_URI, "Organization", f"{PEER_URI}/inbox", public_keys=(public,)
            )
            actors.upsert(work.session, document)
        node.engine.dispose()
        yield settings, key


@contextmanager
def measured_node() -> Iterator[tuple[Flask, PrivateKey]]:
    """That node inside this process, without sockets."""
    with created_node() as (settings, key):
        app = create_app(settings)
        yield app, key
        get_node(app).engine.dispose()


def build_signed_like(key: PrivateKey, name: str) -> tuple[dict[str, str], bytes]:
    """The headers and the body of a valid activity that nobody has seen before."""
    document = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"https://peer.test/activities/{name}",
        "type": "Like",
        "actor": PEER_URI,
        "object": "https://aldermoor.test/projects/one",
    }
    body = json.dumps(document).encode()
    headers = sign("POST", "https://aldermoor.test/inbox", {}, body, key, datetime.now(UTC))
    return headers | {"Content-Type": "application/activity+json"}, body
