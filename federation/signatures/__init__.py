"""HTTP signatures in both schemes of the fediverse: draft-cavage-12 and RFC 9421."""

from federation.signatures.key_ownership import (
    OwnerToFetch,
    key_from_actor,
    key_or_owner,
    listed_keys,
    strip_to_keys,
)
from federation.signatures.keys import (
    PrivateKey,
    PublicKey,
    generate_ed25519,
    generate_rsa,
    public_pem,
)
from federation.signatures.request import Headers, SignedRequest
from federation.signatures.signature import Signature, SignatureScheme
from federation.signatures.verification import (
    check_body_and_date,
    check_signature,
    claimed_host,
    claimed_key_id,
    parse_signature,
    sign,
    verify,
)

__all__ = [
    "Headers",
    "OwnerToFetch",
    "PrivateKey",
    "PublicKey",
    "Signature",
    "SignatureScheme",
    "SignedRequest",
    "check_body_and_date",
    "check_signature",
    "claimed_host",
    "claimed_key_id",
    "generate_ed25519",
    "generate_rsa",
    "key_from_actor",
    "key_or_owner",
    "listed_keys",
    "parse_signature",
    "public_pem",
    "sign",
    "strip_to_keys",
    "verify",
]
