"""With which signature scheme a server is spoken to: draft-cavage first, RFC 9421 where it is
known to be taken or the first is refused, and the choice remembered.
"""

from collections.abc import Callable, Mapping

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from federation.signatures import PrivateKey, Scheme, sign
from node.db import now
from node.federating.models import Peer
from node.outbound import OutboundResponse, Signer

UNAUTHORIZED_STATUS = 401
# What a server answers that does not take a signature, or breaks on it.
REFUSED_STATUSES, MIN_FAILED_STATUS = frozenset({400, 401, 403}), 500


def build_signer(
    key: PrivateKey, scheme: Scheme = Scheme.cavage, headers: Mapping[str, str] | None = None
) -> Signer:
    """Signs each hop of a request afresh, with `key`, and `headers` with it."""

    def sign_hop(method: str, url: str, body: bytes | None) -> dict[str, str]:
        return sign(method, url, headers or {}, body, key, now(), scheme)

    return sign_hop


def send_signed(
    known: Scheme | None,
    key: PrivateKey,
    send: Callable[[Signer], OutboundResponse],
    headers: Mapping[str, str] | None = None,
) -> tuple[OutboundResponse, Scheme | None]:
    """What `send` is answered, and which scheme is known to be taken after that. `headers` are
    signed too, those that signatures are to cover.

    Where the signature is refused, the other scheme is tried once, at once, and its answer counts
    if it is not a refusal or a failure: many say only that they refuse. Raises what `send` raises.
    """
    first = known or Scheme.cavage
    answer = send(build_signer(key, first, headers))
    if answer.status != UNAUTHORIZED_STATUS:
        return answer, known
    other = Scheme.cavage if first is Scheme.rfc9421 else Scheme.rfc9421
    again = send(build_signer(key, other, headers))
    if again.status in REFUSED_STATUSES or again.status >= MIN_FAILED_STATUS:
        return answer, known
    return again, other if other is Scheme.rfc9421 else None


def parse_scheme(name: str | None) -> Scheme | None:
    """A scheme as it stands in `Peer.scheme`."""
    return Scheme(name) if name else None


def known_scheme(session: Session, host: str) -> Scheme | None:
    """The scheme that `host` is known to take."""
    return parse_scheme(session.scalar(select(Peer.scheme).where(Peer.host == host)))


def save_scheme(session: Session, host: str, scheme: Scheme | None) -> None:
    """`host` takes `scheme`; None: that is not known any more."""
    session.execute(update(Peer).where(Peer.host == host).values(scheme=scheme))


def save_advertised_scheme(session: Session, host: str, scheme: Scheme) -> None:
    """`host` says itself that it takes `scheme`, which counts until it shows otherwise."""
    unknown = Peer.host == host, Peer.scheme.is_(None)
    session.execute(update(Peer).where(*unknown).values(scheme=scheme))
