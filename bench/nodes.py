"""A node and a peer for measurements: SQLite in a temporary folder, no sockets."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask

from federation.signatures import PrivateKey, PublicKey, generate_rsa, public_pem, sign
from federation.vocabulary import Actor
from node.app import create_app, node_of
from node.federating import actors, peers
from node.testing.nodes import make_founded, settings_of

PEER = "https://peer.test/councils/peer"


@contextmanager
def measured_node() -> Iterator[tuple[Flask, PrivateKey]]:
    """A node that knows and allows one peer, and that peer's key."""
    with TemporaryDirectory() as folder:
        database = f"sqlite:///{Path(folder) / 'bench.db'}"
        make_founded("aldermoor", database, Path(folder))
        app = create_app(settings_of("aldermoor", database, Path(folder)))
        key = PrivateKey(f"{PEER}#main-key", generate_rsa())
        with node_of(app).work(by="bench") as work:
            peers.decide(work, "peer.test", peers.ALLOWED)
            public = PublicKey(key.key_id, PEER, public_pem(key.pem))
            document = Actor(PEER, "Organization", f"{PEER}/inbox", public_keys=(public,))
            actors.remember(work.session, document)
        yield app, key
        node_of(app).engine.dispose()


def signed_like(key: PrivateKey, number: int) -> tuple[dict[str, str], bytes]:
    """The headers and the body of a valid activity that nobody has seen before."""
    document = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"https://peer.test/activities/{number}",
        "type": "Like",
        "actor": PEER,
        "object": "https://aldermoor.test/projects/one",
    }
    body = json.dumps(document).encode()
    headers = sign("POST", "https://aldermoor.test/inbox", {}, body, key, datetime.now(UTC))
    return headers | {"Content-Type": "application/activity+json"}, body
