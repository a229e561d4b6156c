"""With which signature scheme a server is spoken to: draft-cavage first, RFC 9421 where it is
known to be taken, and the choice remembered.
"""

from collections.abc import Callable, Mapping

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from federation.signatures import PrivateKey, Scheme, sign
from node.db import now
from node.federating.models import Peer
from node.outbound import Answer, Signer

UNAUTHORISED = 401


def signer(
    key: PrivateKey, scheme: Scheme = Scheme.cavage, headers: Mapping[str, str] | None = None
) -> Signer:
    """Signs each hop of a request afresh, with `key`, and `headers` with it."""

    def sign_hop(method: str, url: str, body: bytes | None) -> dict[str, str]:
        return sign(method, url, headers or {}, body, key, now(), scheme)

    return sign_hop


def ask(
    known: Scheme | None,
    key: PrivateKey,
    send: Callable[[Signer], Answer],
    headers: Mapping[str, str] | None = None,
) -> tuple[Answer, Scheme | None]:
    """What `send` is answered, and which scheme is known to be taken after that. `headers` are
    signed too, those that signatures are to cover.

    Where the signature is refused, the other scheme is tried once, at once: RFC 9421 where the
    answer asks for it (Accept-Signature, RFC 9421 section 5), draft-cavage where RFC 9421 was
    taken before. Raises what `send` raises.
    """
    answer = send(signer(key, known or Scheme.cavage, headers))
    if answer.status != UNAUTHORISED:
        return answer, known
    if known is Scheme.rfc9421:
        return send(signer(key, Scheme.cavage, headers)), None
    if "accept-signature" not in answer.headers:
        return answer, known
    again = send(signer(key, Scheme.rfc9421, headers))
    return again, known if again.status == UNAUTHORISED else Scheme.rfc9421


def scheme_of(name: str | None) -> Scheme | None:
    """A scheme as it stands in `Peer.scheme`."""
    return Scheme(name) if name else None


def known_scheme(session: Session, host: str) -> Scheme | None:
    """The scheme that `host` is known to take."""
    return scheme_of(session.scalar(select(Peer.scheme).where(Peer.host == host)))


def remember(session: Session, host: str, scheme: Scheme | None) -> None:
    """`host` takes `scheme`; None: that is not known any more."""
    session.execute(update(Peer).where(Peer.host == host).values(scheme=scheme))


def learn(session: Session, host: str, scheme: Scheme) -> None:
    """`host` says itself that it takes `scheme`, which counts until it shows otherwise."""
    unknown = Peer.host == host, Peer.scheme.is_(None)
    session.execute(update(Peer).where(*unknown).values(scheme=scheme))
