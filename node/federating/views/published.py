"""The servers that this node speaks with or blocks, for others to read: off unless it is set on."""

from flask import Blueprint, Response, json
from flask.typing import ResponseReturnValue

from node.errors import NotFoundError
from node.federating import discovery, peer_lists
from node.federating.readers import Reader
from node.federating.views.asking import current_reader
from node.request import PUBLIC, current_node, current_work, permission
from node.settings import Published
from node.wording import say

blueprint = Blueprint("published", __name__)


@blueprint.get("/peers.csv")
@permission(PUBLIC)
def as_csv() -> ResponseReturnValue:
    """As another node subscribes to it."""
    text = peer_lists.write(item.entry for item in _listed())
    return Response(text, content_type="text/csv; charset=utf-8")


@blueprint.get("/peers.json")
@permission(PUBLIC)
def as_json() -> ResponseReturnValue:
    """The same with what each server runs, as another node looks for peers in it."""
    peers = [
        {
            "host": item.entry.host,
            "state": item.entry.state,
            "comment": item.entry.comment,
            "software": item.software,
        }
        for item in _listed()
    ]
    return Response(json.dumps({"peers": peers}), content_type="application/json")


def _listed() -> list[discovery.Listed]:
    reader, settings = current_reader(), current_node().settings
    shows_peers = _may_read(reader, settings.publish_peers)
    shows_blocks = _may_read(reader, settings.publish_blocks)
    if not (shows_peers or shows_blocks):
        raise NotFoundError(say("This server does not publish a list of servers."))
    return discovery.listed(
        current_work().session, settings, allowed=shows_peers, blocked=shows_blocks
    )


def _may_read(reader: Reader, published: Published) -> bool:
    if published == "peers":
        return bool(reader.host) or reader.is_ours
    return published == "everybody"
