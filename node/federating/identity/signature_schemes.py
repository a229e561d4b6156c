"""Chooses the signature scheme for each server: draft-cavage first, RFC 9421 if the server is known
to accept it or refuses the first. The choice is stored in `Peer.scheme`.
"""

from collections.abc import Callable, Mapping

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from federation.signatures import PrivateKey, SignatureScheme, sign
from node.database.tables import now
from node.federating.models import Peer
from node.outbound import OutboundResponse, Signer

UNAUTHORIZED_STATUS = 401
# Statuses of a server that does not accept a signature, or fails because of it.
REFUSED_STATUSES, MIN_FAILED_STATUS = frozenset({400, 401, 403}), 500


def build_signer(
    key: PrivateKey,
    scheme: SignatureScheme = SignatureScheme.cavage,
    headers: Mapping[str, str] | None = None,
) -> Signer:
    """A function that signs each hop of a request, with `headers`, at the current time."""

    def sign_hop(method: str, url: str, body: bytes | None) -> dict[str, str]:
        return sign(method, url, headers or {}, body, key, now(), scheme)

    return sign_hop


def send_signed(
    known_scheme: SignatureScheme | None,
    key: PrivateKey,
    send: Callable[[Signer], OutboundResponse],
    headers: Mapping[str, str] | None = None,
) -> tuple[OutboundResponse, SignatureScheme | None]:
    """Call `send` with a signer; returns the response, and the scheme that the server is now known
    to accept. `headers` are signed too.

    On status 401 the other scheme is tried once. Its response is used unless it is a refusal or
    failure too, as many servers do not say why they refuse. Raises what `send` raises.
    """
    first = known_scheme or SignatureScheme.cavage
    response = send(build_signer(key, first, headers))
    if response.status != UNAUTHORIZED_STATUS:
        return response, known_scheme
    other = SignatureScheme.cavage if first is SignatureScheme.rfc9421 else SignatureScheme.rfc9421
    second_response = send(build_signer(key, other, headers))
    if second_response.status in REFUSED_STATUSES or second_response.status >= MIN_FAILED_STATUS:
        return response, known_scheme
    return second_response, other if other is SignatureScheme.rfc9421 else None


def parse_scheme(name: str | None) -> SignatureScheme | None:
    """The scheme in a `Peer.scheme` column."""
    return SignatureScheme(name) if name else None


def known_scheme(session: Session, host: str) -> SignatureScheme | None:
    """The scheme that `host` is known to accept, if any."""
    return parse_scheme(session.scalar(select(Peer.scheme).where(Peer.host == host)))


def save_scheme(session: Session, host: str, scheme: SignatureScheme | None) -> None:
    """Store the scheme that `host` accepts; None if it is not known any more."""
    session.execute(update(Peer).where(Peer.host == host).values(scheme=scheme))


def save_advertised_scheme(session: Session, host: str, scheme: SignatureScheme) -> None:
    """Store the scheme that `host` advertises, unless one is known from experience."""
    conditions = Peer.host == host, Peer.scheme.is_(None)
    session.execute(update(Peer).where(*conditions).values(scheme=scheme))
