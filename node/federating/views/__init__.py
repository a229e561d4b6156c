"""Endpoints for other servers: actors, collections, WebFinger, NodeInfo, followers, peer lists."""

from node.federating.views import (
    collections,
    followers,
    inbox_get,
    published_peers,
    webfinger_nodeinfo,
)

blueprints = (
    collections.blueprint,
    webfinger_nodeinfo.blueprint,
    followers.blueprint,
    inbox_get.blueprint,
    published_peers.blueprint,
)
