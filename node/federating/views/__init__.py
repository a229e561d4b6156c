"""What other servers ask of this node: who is here, what there is, and the inbox."""

from node.federating.views import collections, discovery, inbox, published

blueprints = (
    collections.blueprint,
    discovery.blueprint,
    inbox.blueprint,
    published.blueprint,
)
