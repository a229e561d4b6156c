"""A server made with pubby on Flask: one actor, which accepts whoever asks to follow.

It speaks plain http at PORT; https at ORIGIN is in front of it. At CONTROL_PORT a test tells it
what to do: POST of {"do": NAME, …} with one of the names of `COMMANDS`, answered in JSON.
"""

import json
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import requests
from flask import Flask, Response, request
from pubby import ActivityPubHandler, Object, deliver_activity
from pubby.client import resolve_actor_inbox
from pubby.crypto import generate_rsa_keypair, sign_request
from pubby.server.adapters.flask import bind_activitypub
from pubby.storage.adapters.db import init_db_storage
from pubby.webfinger import resolve_actor_url
from werkzeug.serving import make_server

ORIGIN = os.environ["ORIGIN"]
NAME = "blog"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
AS2 = "application/activity+json"
Document = dict[str, Any]

received: list[Document] = []
errors: list[str] = []
# What it sent, by id, and the objects that it serves.
sent: dict[str, Document] = {}
written: dict[str, Document] = {}
app = Flask("pubby")
control = Flask("control")


def take(_activity: Any, given: Document) -> None:
    """What arrived with a valid signature, before pubby acts on it."""
    about = given.get("object")
    received.append(
        {
            "id": given["id"],
            "type": given["type"],
            "actor": given["actor"],
            "object": about.get("id") if isinstance(about, dict) else about,
            "name": about.get("name") if isinstance(about, dict) else None,
            "content": about.get("content") if isinstance(about, dict) else None,
        }
    )


key, _public = generate_rsa_keypair()
storage = init_db_storage(f"sqlite:///{Path.cwd()}/pubby.db")
handler = ActivityPubHandler(
    storage=storage,
    actor_config={
        "base_url": ORIGIN,
        "username": NAME,
        "name": "The Pubby Council",
        "type": "Organization",
    },
    private_key=key,
    webfinger_domain=urlsplit(ORIGIN).netloc,
    strict_attribution=True,
    on_activity=take,
)
bind_activitypub(app, handler)


@app.get("/notes/<name>")
def note(name: str) -> Response:
    """What pubby leaves to whoever uses it: the objects themselves."""
    found = written.get(f"{ORIGIN}/notes/{name}")
    return Response(json.dumps(found), 200 if found else 404, content_type=AS2)


def send(activity: Document, to: str) -> str:
    """Send it to one actor; its id."""
    inbox = resolve_actor_inbox(to, storage, private_key=key, key_id=handler.key_id)
    status = deliver_activity(activity, str(inbox), key_id=handler.key_id, private_key=key)
    if status >= 300:
        errors.append(f"{activity['type']} was answered {status}")
    sent[activity["id"]] = activity
    return str(activity["id"])


def find(*, what: str) -> Any:
    """An actor or object as it is at its address, asked for with a signature."""
    uri = what if "://" in what else webfinger(what=what)
    signed = sign_request(
        private_key=key, key_id=handler.key_id, method="GET", url=uri, headers={"Accept": AS2}
    )
    answer = requests.get(uri, headers={**signed, "Accept": AS2}, timeout=10)
    answer.raise_for_status()
    return answer.json()


def webfinger(*, what: str) -> str:
    name, _, domain = what.removeprefix("@").partition("@")
    return resolve_actor_url(name, domain)


def nodeinfo(*, url: str) -> Any:
    """Pubby reads none: as its address is found by whoever does."""
    links = requests.get(f"{url}/.well-known/nodeinfo", timeout=10).json()["links"]
    return requests.get(links[0]["href"], timeout=10).json()


def follow(*, whom: str) -> str:
    to = webfinger(what=whom)
    activity = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{handler.actor_id}/follows/{uuid4()}",
        "type": "Follow",
        "actor": handler.actor_id,
        "object": to,
    }
    return send(activity, to)


def write(*, content: str, about: str, to: str, uri: str = "") -> str:
    """Write a note about something, or write the note `uri` anew; its id."""
    made = Object(
        id=uri or f"{ORIGIN}/notes/{uuid4()}",
        content=content,
        attributed_to=handler.actor_id,
        in_reply_to=about,
        to=[PUBLIC],
        cc=[to],
    )
    written[made.id] = {"@context": "https://www.w3.org/ns/activitystreams", **made.to_dict()}
    build = handler.outbox.build_update_activity if uri else handler.outbox.build_create_activity
    send(build(made), to)
    return made.id


def delete(*, what: str, to: str) -> str:
    written.pop(what, None)
    return send(handler.outbox.build_delete_activity(what), to)


def like(*, what: str, to: str) -> str:
    return send(handler.outbox.build_like_activity(what), to)


def announce(*, what: str, to: str) -> str:
    return send(handler.outbox.build_announce_activity(what), to)


def undo(*, what: str, to: str) -> str:
    return send(handler.outbox.build_undo_activity(sent[what]), to)


def seen() -> Document:
    followers = sorted(one.actor_id for one in storage.get_followers())
    return {"received": received, "errors": errors, "followers": followers}


COMMANDS: dict[str, Callable[..., Any]] = {
    one.__name__: one
    for one in (find, webfinger, nodeinfo, follow, write, delete, like, announce, undo, seen)
}


@control.post("/")
def obey() -> Response:
    given = request.get_json(force=True)
    try:
        answer = COMMANDS[given.pop("do")](**given)
    except Exception:  # noqa: BLE001 -- the test is told
        return Response(traceback.format_exc(), status=500)
    return Response(json.dumps(answer), content_type="application/json")


def serve(one: Flask, port: str) -> None:
    make_server("127.0.0.1", int(os.environ[port]), one, threaded=True).serve_forever()


Thread(target=serve, args=[app, "PORT"], daemon=True).start()
serve(control, "CONTROL_PORT")
