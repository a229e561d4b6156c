"""The only HTTP client of the node: signed requests to other nodes, and no way to anything private.

`targets` judges a URL, `network` judges the addresses behind its name and keeps the deadline,
`client` speaks HTTP.
"""

from node.outbound.client import Outbound, OutboundResponse, Signer, Transport
from node.outbound.errors import OutboundCode, OutboundError
from node.outbound.in_process import InProcessTransport
from node.outbound.media_types import AS2, JRD
from node.outbound.network import Resolver, system_resolver

__all__ = [
    "AS2",
    "JRD",
    "InProcessTransport",
    "Outbound",
    "OutboundCode",
    "OutboundError",
    "OutboundResponse",
    "Resolver",
    "Signer",
    "Transport",
    "system_resolver",
]
