"""Who asks to read: everybody, another server that proves who it is, or one of our own people.

What only some may read is given to them alone, and for others it does not exist.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from federation.acceptance import InboxPolicy, identify
from federation.errors import AddressError, Reason, Refusal
from federation.origin import host_of
from federation.signatures import SignedRequest, claimed_host, parse_signature
from node.db import now
from node.federating import peers, refusals
from node.federating.keystore import FetchingKeyStore
from node.federating.outbox import PEERS, PUBLIC
from node.hooks import Hooks
from node.people.permissions import is_allowed
from node.runtime import Node

log = structlog.get_logger(__name__)

SIGNATURE_HEADERS = ("Signature", "Signature-Input")


@dataclass(frozen=True)
class Viewer:
    """Somebody who reads.

    `host` is that of a server which proved itself and is allowed by name; `is_ours` of somebody
    who works at our own council, and who `may_see_drafts` if they write projects.
    """

    host: str | None = None
    is_local_user: bool = False
    may_see_drafts: bool = False

    @property
    def audiences(self) -> tuple[str, ...]:
        """The audiences of those of our activities that the reader may see; never direct."""
        return (PUBLIC, PEERS) if self.host or self.is_local_user else (PUBLIC,)


ANONYMOUS = Viewer()
LOCAL_USER = Viewer(is_local_user=True)
EDIT_PERMISSION = "projects.edit"


def viewer_with_roles(roles: Iterable[str], hooks: Hooks) -> Viewer:
    """Somebody who works here and has these roles now, whether signed in or by a token of theirs.

    Only those who may write projects see what is not published yet.
    """
    return Viewer(is_local_user=True, may_see_drafts=is_allowed(roles, EDIT_PERMISSION, hooks))


def is_signed(request: SignedRequest) -> bool:
    return any(name in request.headers for name in SIGNATURE_HEADERS)


def refuse_blocked_host(node: Node, request: SignedRequest) -> None:
    """Raises `Refusal`, which has been counted, where the key that is named is of a blocked host:
    that its name is used is enough. Nothing is verified, and no network is used.
    """
    host = _claimed_host(request)
    with node.reading() as session:
        is_blocked = peers.is_blocked(session, host)
    if is_blocked:
        raise _count_refusal(node, host, Refusal(Reason.host_not_allowed, host))


def identify_viewer(node: Node, request: SignedRequest) -> Viewer:
    """The server that signed a request that only reads, which `refuse_blocked` let pass.

    Raises `Refusal`, which has been counted, for a signature of an allowed host that cannot be
    verified. What any other host signs is not looked at, no key of it is fetched, and it reads as
    everybody does.
    """
    host = _claimed_host(request)
    with node.reading() as session:
        is_peer = host in peers.explicitly_allowed_among(session, {host})
    if not is_peer:
        return ANONYMOUS
    try:
        return _verify_viewer(node, request)
    except Refusal as refusal:
        raise _count_refusal(node, host, refusal) from None


def _count_refusal(node: Node, host: str, refusal: Refusal) -> Refusal:
    refusals.count(node, host, refusal)
    log.info("refused", host=host, reason=refusal.reason.value, detail=refusal.detail)
    return refusal


def _claimed_host(request: SignedRequest) -> str:
    """The host of the key that is named; as far as can be read, where the signature cannot be."""
    try:
        return host_of(parse_signature(request).key_id)
    except (Refusal, AddressError):
        return claimed_host(request)


def _verify_viewer(node: Node, request: SignedRequest) -> Viewer:
    def host_allowed(host: str) -> bool:
        with node.reading() as session:
            return host in peers.explicitly_allowed_among(session, {host})

    policy = InboxPolicy(
        host_allowed=host_allowed, plain_http=frozenset(node.settings.private_hosts)
    )
    keys = FetchingKeyStore(node)
    key = identify(request, policy, keys, now())
    if keys.has_fetched:
        with node.work(by=key.owner) as work:
            keys.store_fetched(work.session)
    return Viewer(host=host_of(key.owner))
