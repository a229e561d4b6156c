"""A server made with bovine-herd: one actor, whom only signed requests may see.

It speaks plain http at PORT; https at ORIGIN is in front of it. At CONTROL_PORT a test tells it
what to do: POST of {"do": NAME, …} with one of the names of `COMMANDS`, answered in JSON.
"""

import asyncio
import json
import os
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from bovine.activitystreams import factories_for_actor_object
from bovine.clients import fetch_nodeinfo, lookup_uri_with_webfinger
from bovine.jsonld import jsonld_cache
from bovine_herd import BovineHerd
from bovine_process import default_inbox_process, handle_outbox_item, process_outbox_item
from bovine_process.types import ProcessingItem
from bovine_store import BovineAdminStore
from bovine_store.actor.bovine_store_actor import BovineStoreActor
from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart, Response, request

ORIGIN = os.environ["ORIGIN"]
NAME = "herd"
# What bovine would fetch, over and over, from the web.
CONTEXTS = {
    "https://w3id.org/security/v1": "security-v1",
    "https://w3id.org/security/data-integrity/v1": "security-data-integrity-v1",
    "https://w3id.org/security/multikey/v1": "security-multikey-v1",
    "https://www.w3.org/ns/did/v1": "did-v1",
}
Document = dict[str, Any]

received: list[Document] = []
errors: list[str] = []
app = Quart("bovine")
control = Quart("control")


async def take(item: ProcessingItem, actor: BovineStoreActor) -> None:
    """What arrived with a valid signature. Whoever asks to follow is accepted."""
    app.add_background_task(_process, item, actor)


async def _process(item: ProcessingItem, actor: BovineStoreActor) -> None:
    given = item.data
    try:
        await default_inbox_process(item, actor)
        if given.get("type") == "Follow":
            await _do(actor, "accept", given)
    except Exception:  # noqa: BLE001 -- the test is told
        errors.append(traceback.format_exc())
    about = given.get("object")
    received.append(
        {
            "id": given["id"],
            "type": given["type"],
            "actor": item.submitter,
            "object": about.get("id") if isinstance(about, dict) else about,
            "name": about.get("name") if isinstance(about, dict) else None,
            "content": about.get("content") if isinstance(about, dict) else None,
        }
    )


async def act(actor: BovineStoreActor, activity: Document) -> str:
    """What bovine does with what is posted to the outbox; the activity's id."""
    item = await handle_outbox_item(ProcessingItem(actor.actor_id, activity), actor)
    await process_outbox_item(item, actor)
    return str(item.data["id"])


async def the_actor() -> BovineStoreActor:
    found = await app.config["bovine_store"].actor_for_name(app.config["bovine_name"])
    assert found is not None
    return found


async def find(actor: BovineStoreActor, *, what: str) -> Any:
    """An actor or object as it is at its address, asked for with a signature."""
    uri = what if "://" in what else await webfinger(actor, what=what)
    return await actor.get(uri)


async def webfinger(actor: BovineStoreActor, *, what: str) -> Any:
    account = f"acct:{what.removeprefix('@')}"
    found, _needs_verifying = await lookup_uri_with_webfinger(actor.session, account)
    return found


async def nodeinfo(actor: BovineStoreActor, *, url: str) -> Any:
    return await fetch_nodeinfo(actor.session, urlsplit(url).netloc)


async def follow(actor: BovineStoreActor, *, whom: str) -> str:
    found = await find(actor, what=whom)
    return await _do(actor, "follow", found["id"])


async def write(
    actor: BovineStoreActor, *, content: str, about: str, to: str, uri: str = ""
) -> str:
    """Write a note about something, or write the note `uri` anew; its id."""
    information = actor.actor_object.build()
    activities, objects = factories_for_actor_object(information)
    note = objects.note(content=content, in_reply_to=about, cc={to}).as_public().build()
    activity = activities.update(note | {"id": uri}) if uri else activities.create(note)
    sent = await actor.retrieve(await act(actor, activity.build()), skip_fetch=True)
    written = (sent or {})["object"]
    return str(written["id"] if isinstance(written, dict) else written)


async def delete(actor: BovineStoreActor, *, what: str, to: str) -> str:
    return await _do(actor, "delete", what, to={to})


async def like(actor: BovineStoreActor, *, what: str, to: str) -> str:
    return await _do(actor, "like", what, to={to})


async def announce(actor: BovineStoreActor, *, what: str, to: str) -> str:
    return await _do(actor, "announce", what, to={to})


async def undo(actor: BovineStoreActor, *, what: str, to: str) -> str:
    """Take back the activity of that id, which is all that is said of it."""
    return await _do(actor, "undo", what, to={to})


async def _do(actor: BovineStoreActor, kind: str, about: Any, **more: Any) -> str:
    activities, _objects = factories_for_actor_object(actor.actor_object.build())
    return await act(actor, getattr(activities, kind)(about, **more).build())


async def seen(actor: BovineStoreActor) -> Document:
    followers = await actor.resolve_endpoints({actor.actor_object.followers})
    return {"received": received, "errors": errors, "followers": sorted(followers)}


Command = Callable[..., Awaitable[Any]]
COMMANDS: dict[str, Command] = {
    one.__name__: one
    for one in (find, webfinger, nodeinfo, follow, write, delete, like, announce, undo, seen)
}


@control.post("/")
async def obey() -> Response:
    given = await request.get_json(force=True)
    async with app.app_context():
        try:
            answer = await COMMANDS[given.pop("do")](await the_actor(), **given)
        except Exception:  # noqa: BLE001 -- the test is told
            return Response(traceback.format_exc(), status=500)
    return Response(json.dumps(answer), content_type="application/json")


@app.before_serving
async def prepare() -> None:
    """The session resolves names as this Python does; the other resolver asks servers itself."""
    connector = aiohttp.TCPConnector(resolver=aiohttp.ThreadedResolver())
    app.config["session"] = aiohttp.ClientSession(connector=connector)


async def main() -> None:
    ready = asyncio.Event()
    for url, file in CONTEXTS.items():
        text = (Path(os.environ["CONTEXTS"]) / f"{file}.json").read_text()
        jsonld_cache.cache[url] = json.loads(text)["@context"]
    BovineHerd(app, start_background_task_inbox=take, db_url=f"sqlite://{Path.cwd()}/bovine.db")

    @app.before_serving
    async def register() -> None:
        store = BovineAdminStore(domain=ORIGIN)
        name = app.config["bovine_name"] = await store.register(NAME)
        properties = {"type": "Organization", "name": "The Bovine Council"}
        await store.set_properties_for_actor(name, properties)
        ready.set()

    await asyncio.gather(_serve(app, "PORT"), _obey_when(ready))


async def _obey_when(ready: asyncio.Event) -> None:
    await ready.wait()
    await _serve(control, "CONTROL_PORT")


async def _serve(one: Quart, port: str) -> None:
    config = Config()
    config.bind = [f"127.0.0.1:{os.environ[port]}"]
    await serve(one, config)


asyncio.run(main())
