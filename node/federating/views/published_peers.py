"""The published peer lists: connected and blocked servers, if the settings publish them."""

from flask import Blueprint, Response, json
from flask.typing import ResponseReturnValue

from node.access.audiences import PEERS
from node.access.viewer import Viewer
from node.errors import NotFoundError
from node.federating.inbound import server_discovery
from node.federating.peers import peer_lists
from node.federating.views.current_viewer import current_viewer
from node.messages import msg
from node.request import PUBLIC, current_node, current_work, permission
from node.settings import PublishTo

blueprint = Blueprint("published", __name__)


@blueprint.get("/peers.csv")
@permission(PUBLIC)
def as_csv() -> ResponseReturnValue:
    """The list in the format that other nodes subscribe to."""
    text = peer_lists.dump_csv(peer.entry for peer in _list_visible_peers())
    return Response(text, content_type="text/csv; charset=utf-8")


@blueprint.get("/peers.json")
@permission(PUBLIC)
def as_json() -> ResponseReturnValue:
    """The list with each server's software, in which other nodes discover peers."""
    peers = [
        {
            "host": peer.entry.host,
            "state": peer.entry.state,
            "comment": peer.entry.comment,
            "software": peer.software,
        }
        for peer in _list_visible_peers()
    ]
    return Response(json.dumps({"peers": peers}), content_type="application/json")


def _list_visible_peers() -> list[server_discovery.PublishedPeer]:
    viewer, settings = current_viewer(), current_node().settings
    may_see_peers = _may_read(viewer, settings.publish_peers)
    may_see_blocks = _may_read(viewer, settings.publish_blocks)
    if not (may_see_peers or may_see_blocks):
        raise NotFoundError(msg("This server does not publish a list of servers."))
    return server_discovery.list_published(
        current_work().session, settings, allowed=may_see_peers, blocked=may_see_blocks
    )


def _may_read(viewer: Viewer, audience: PublishTo) -> bool:
    if audience == "peers":
        return viewer.audience == PEERS
    return audience == "everybody"
