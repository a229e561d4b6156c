"""The accepted algorithm names and their meanings. Shared secrets (HMAC) are not accepted."""

from enum import StrEnum


class KeyAlgorithm(StrEnum):
    """The algorithm of a key: RSASSA-PKCS1-v1_5 or Ed25519. Decided by the key, not the request."""

    rsa_sha256 = "rsa-sha256"
    ed25519 = "ed25519"


ANY_ALGORITHM = frozenset(KeyAlgorithm)

# draft-cavage-12 section 2.1.3. `hs2019` and a missing name leave the choice to the key.
CAVAGE_ALGORITHMS_BY_NAME: dict[str | None, frozenset[KeyAlgorithm]] = {
    None: ANY_ALGORITHM,
    "hs2019": ANY_ALGORITHM,
    "rsa-sha256": frozenset({KeyAlgorithm.rsa_sha256}),
    "ed25519": frozenset({KeyAlgorithm.ed25519}),
}

# RFC 9421 section 6.2.2. `alg` may be missing.
RFC9421_ALGORITHMS_BY_NAME: dict[str | None, frozenset[KeyAlgorithm]] = {
    None: ANY_ALGORITHM,
    "rsa-v1_5-sha256": frozenset({KeyAlgorithm.rsa_sha256}),
    "ed25519": frozenset({KeyAlgorithm.ed25519}),
}
