"""pubby on the stack of this node: Flask, SQLAlchemy, SQLite and waitress with as many threads. Run
with the Python of `.interop` as `pubby_server.py FOLDER PORT THREADS PACKAGES`; waitress is in the
folder PACKAGES.

`FOLDER/actors.json` holds the documents of the actors that it knows, by id. What it stores is in
`FOLDER/pubby.db`.
"""

import json
import logging
import sys
from importlib import import_module
from pathlib import Path

from flask import Flask
from pubby import ActivityPubHandler
from pubby.crypto import generate_rsa_keypair
from pubby.server.adapters.flask import bind_activitypub
from pubby.storage.adapters.db import init_db_storage

PUBBY_URL = "https://pubby.test"


def main(folder: Path, port: int, threads: int, packages: str) -> None:
    sys.path.append(packages)
    waitress = import_module("waitress")
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    app = Flask("pubby")
    storage = init_db_storage(f"sqlite:///{folder / 'pubby.db'}")
    for uri, document in json.loads((folder / "actors.json").read_text()).items():
        storage.cache_remote_actor(uri, document)
    key, _public = generate_rsa_keypair()
    handler = ActivityPubHandler(
        storage=storage,
        actor_config={"base_url": PUBBY_URL, "username": "council", "name": "A council"},
        private_key=key,
        webfinger_domain="pubby.test",
        strict_attribution=True,
        store_local_only=True,
        local_base_urls=[PUBBY_URL],
        allow_private_targets=True,
    )
    bind_activitypub(app, handler)
    waitress.serve(app, listen=f"127.0.0.1:{port}", threads=threads, _quiet=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
