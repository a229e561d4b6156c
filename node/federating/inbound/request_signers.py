"""Identifies the server that signed a read request, and so its viewer."""

import structlog

from federation.acceptance import InboxPolicy, identify_signer
from federation.errors import AddressError, Refusal, RefusalReason
from federation.origin import host_of
from federation.signatures import SignedRequest, claimed_host, parse_signature
from node.access.viewer import ANONYMOUS, Viewer
from node.database.tables import now
from node.federating.inbound.keystore import FetchingKeyStore
from node.federating.peers import refusals
from node.federating.peers import service as peers
from node.principal import Principal
from node.runtime import Node

log = structlog.get_logger(__name__)

SIGNATURE_HEADERS = ("Signature", "Signature-Input")


def is_signed(request: SignedRequest) -> bool:
    return any(name in request.headers for name in SIGNATURE_HEADERS)


def refuse_blocked_host(node: Node, request: SignedRequest) -> None:
    """Raises `Refusal`, which has been counted, if the signature names a key of a blocked host. The
    signature is not verified, and the network is not used.
    """
    host = _claimed_host(request)
    with node.reading() as session:
        is_blocked = peers.is_blocked(session, host)
    if is_blocked:
        raise _record_refusal(node, host, Refusal(RefusalReason.host_not_allowed, host))


def identify_viewer(node: Node, request: SignedRequest) -> Viewer:
    """The server that signed a read request, after `refuse_blocked_host`.

    Raises `Refusal`, which has been counted, if the signature of an allowed host cannot be
    verified. Signatures of other hosts are not checked and no key is fetched: they read as
    anonymous.
    """
    host = _claimed_host(request)
    with node.reading() as session:
        is_peer = host in peers.explicitly_allowed_among(session, {host})
    if not is_peer:
        return ANONYMOUS
    try:
        return _verify_viewer(node, request)
    except Refusal as refusal:
        raise _record_refusal(node, host, refusal) from None


def _record_refusal(node: Node, host: str, refusal: Refusal) -> Refusal:
    refusals.record(node, host, refusal)
    log.info("signature refused", host=host, reason=refusal.reason.value, detail=refusal.detail)
    return refusal


def _claimed_host(request: SignedRequest) -> str:
    """The host of the key that the signature names, as far as it can be parsed."""
    try:
        return host_of(parse_signature(request).key_id)
    except (Refusal, AddressError):
        return claimed_host(request)


def _verify_viewer(node: Node, request: SignedRequest) -> Viewer:
    def host_allowed(host: str) -> bool:
        with node.reading() as session:
            return host in peers.explicitly_allowed_among(session, {host})

    policy = InboxPolicy(
        is_host_allowed=host_allowed, plain_http_hosts=frozenset(node.settings.private_hosts)
    )
    keys = FetchingKeyStore(node)
    key = identify_signer(request, policy, keys, now())
    if keys.has_fetched:
        with node.work(by=Principal.actor(key.owner)) as work:
            keys.store_fetched(work.session)
    return Viewer(host=host_of(key.owner))
