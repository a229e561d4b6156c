"""The node's only HTTP client: signed requests to other servers, guarded against SSRF.

`targets` checks a URL, `network` checks the IP addresses behind its name and enforces the deadline,
`client` sends the request.
"""

from node.outbound.client import OutboundClient, OutboundResponse, Signer, Transport
from node.outbound.errors import OutboundError, OutboundErrorCode
from node.outbound.in_process import InProcessTransport
from node.outbound.media_types import AS2_MEDIA_TYPES, JRD_MEDIA_TYPES
from node.outbound.network import Resolver, system_resolver

__all__ = [
    "AS2_MEDIA_TYPES",
    "JRD_MEDIA_TYPES",
    "InProcessTransport",
    "OutboundClient",
    "OutboundError",
    "OutboundErrorCode",
    "OutboundResponse",
    "Resolver",
    "Signer",
    "Transport",
    "system_resolver",
]
