"""The servers that this node speaks with or blocks, for others to read: off unless it is set on."""

from flask import Blueprint, Response, json
from flask.typing import ResponseReturnValue

from node.errors import NotFoundError
from node.federating import peer_lists, server_discovery
from node.federating.viewer import Viewer
from node.federating.views.current_viewer import current_viewer
from node.messages import msg
from node.request import PUBLIC, current_node, current_work, permission
from node.settings import PublishTo

blueprint = Blueprint("published", __name__)


@blueprint.get("/peers.csv")
@permission(PUBLIC)
def as_csv() -> ResponseReturnValue:
    """As another node subscribes to it."""
    text = peer_lists.dump_csv(item.entry for item in _visible_peers())
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
        for item in _visible_peers()
    ]
    return Response(json.dumps({"peers": peers}), content_type="application/json")


def _visible_peers() -> list[server_discovery.PublishedPeer]:
    reader, settings = current_viewer(), current_node().settings
    shows_peers = _may_read(reader, settings.publish_peers)
    shows_blocks = _may_read(reader, settings.publish_blocks)
    if not (shows_peers or shows_blocks):
        raise NotFoundError(msg("This server does not publish a list of servers."))
    return server_discovery.list_published(
        current_work().session, settings, allowed=shows_peers, blocked=shows_blocks
    )


def _may_read(reader: Viewer, published: PublishTo) -> bool:
    if published == "peers":
        return bool(reader.host) or reader.is_local_user
    return published == "everybody"
