"""Ways to bend a signed message."""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace

from federation.signatures import Headers, PrivateKey, SignedRequest, cavage, public_pem, rfc9421
from node.testing.fake_peer import FakeActor, SignedMessage
from node.testing.nodes import TestNode

COVERED = ("(request-target)", "host", "date", "digest")
Signer = Callable[[bytes], bytes]


def cavage_signed(
    message: SignedMessage,
    key: PrivateKey,
    components: Sequence[str] = COVERED,
    *,
    target: str | None = None,
    signer: Signer | None = None,
    **parameters: str | None,
) -> SignedMessage:
    """Signed anew over what the message says now; `parameters` changed or, where None, left out."""
    headers = Headers(message.headers)
    stated = {name: value for name, value in parameters.items() if value is not None}
    text = cavage.signing_string(components, "POST", target or message.target, headers, stated)
    every = {
        "keyId": key.key_id,
        "algorithm": "rsa-sha256",
        "headers": " ".join(components),
        "signature": b64encode((signer or key.sign)(text)).decode(),
        **parameters,
    }
    written = (f'{name}="{value}"' for name, value in every.items() if value is not None)
    return message.with_headers(signature=",".join(written))


def message_signed(
    message: SignedMessage,
    to: TestNode,
    key: PrivateKey,
    components: tuple[str, ...] = ("@method", "@target-uri", "content-digest"),
    **parameters: str | int,
) -> SignedMessage:
    """Signed anew as in RFC 9421, with exactly these `parameters` beside keyid."""
    listed = " ".join(f'"{name}"' for name in components)
    stated = {"keyid": key.key_id, **parameters}
    written = "".join(
        f";{name}={value}" if isinstance(value, int) else f';{name}="{value}"'
        for name, value in stated.items()
    )
    headers = Headers(message.headers)
    request = SignedRequest("POST", "https", to.host, message.target, headers, message.body)
    base = rfc9421.signature_base(components, f"({listed}){written}", request)
    return message.with_headers(
        signature_input=f"sig1=({listed}){written}",
        signature=f"sig1=:{b64encode(key.sign(base)).decode()}:",
    )


def with_body(message: SignedMessage, body: bytes) -> SignedMessage:
    """Another body under the same headers."""
    return replace(message, body=body)


def keyed_with_the_public_key(signatory: FakeActor) -> Signer:
    """What a verifier is fooled by that takes the public key for a shared secret."""
    secret = public_pem(signatory.key.pem).encode()
    return lambda text: hmac.digest(secret, text, hashlib.sha256)


def digest_of(body: bytes, algorithm: str) -> str:
    """The value of a Digest header under another algorithm than SHA-256."""
    name = {"sha512": "SHA-512", "md5": "MD5", "sha1": "SHA"}[algorithm]
    return f"{name}={b64encode(hashlib.new(algorithm, body).digest()).decode()}"
