"""What other servers ask of this node: who is here, what there is, and the inbox."""

from node.federating.views import collections, discovery, followers, inbox, published

blueprints = (
    collections.blueprint,
    discovery.blueprint,
    followers.blueprint,
    inbox.blueprint,
    published.blueprint,
)
