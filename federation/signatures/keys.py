"""Keys: RSA of 2048 to 8192 bits and Ed25519, as PEM; Ed25519 also as Multikey (FEP-521a)."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from federation.errors import Refusal, RefusalReason
from federation.signatures.algorithms import KeyAlgorithm
from federation.signatures.multibase import decode_base58, encode_base58

MIN_RSA_BITS, MAX_RSA_BITS = 2048, 8192
MAX_LEN_PEM = 8192
# The multicodec prefix of an Ed25519 public key.
ED25519_MULTICODEC_PREFIX = b"\xed\x01"


def generate_rsa() -> str:
    """A new RSA-2048 private key, as PKCS8 PEM."""
    return _private_pem(generate_private_key(public_exponent=65537, key_size=2048))


def generate_ed25519() -> str:
    """A new Ed25519 private key, as PKCS8 PEM."""
    return _private_pem(Ed25519PrivateKey.generate())


def public_pem(private_pem: str) -> str:
    """The public half of a private key, as SPKI PEM."""
    return _public_pem(_load_private(private_pem).public_key())


@dataclass(frozen=True)
class PrivateKey:
    """A private key of this node. `key_id` is the id of its public half."""

    key_id: str
    pem: str = field(repr=False)

    @property
    def algorithm(self) -> KeyAlgorithm:
        is_rsa = isinstance(_load_private(self.pem), RSAPrivateKey)
        return KeyAlgorithm.rsa_sha256 if is_rsa else KeyAlgorithm.ed25519

    def sign(self, data: bytes) -> bytes:
        key = _load_private(self.pem)
        if isinstance(key, RSAPrivateKey):
            return key.sign(data, PKCS1v15(), SHA256())
        return key.sign(data)


@dataclass(frozen=True)
class PublicKey:
    """A public key. `owner` is the id of the actor that lists it; `pem` is SPKI or PKCS1.

    `is_assertion_method`: the owner lists the key in `assertionMethod`, so proofs may use it.
    """

    key_id: str
    owner: str
    pem: str
    is_assertion_method: bool = False

    @property
    def algorithm(self) -> KeyAlgorithm:
        """The algorithm of the key. Raises `Refusal` (key_unusable)."""
        return _load_public(self.pem).algorithm

    def check_usable(self) -> None:
        """Raises `Refusal` (key_unusable) unless signatures can be verified with the key."""
        _load_public(self.pem)

    def verifies(self, data: bytes, signature: bytes) -> bool:
        """Whether `signature` was made over `data` by this key. Raises `Refusal` (key_unusable)."""
        key = _load_public(self.pem).key
        try:
            if isinstance(key, RSAPublicKey):
                key.verify(signature, data, PKCS1v15(), SHA256())
            else:
                key.verify(signature, data)
        except InvalidSignature:
            return False
        return True


def pem_to_multikey(pem: str) -> str:
    """Convert an Ed25519 public key to `publicKeyMultibase`: `z`, base58btc (FEP-521a).

    Raises `Refusal` (key_unusable).
    """
    key = _load_public(pem).key
    if not isinstance(key, Ed25519PublicKey):
        raise Refusal(RefusalReason.key_unusable, "only Ed25519 keys are written as Multikey")
    return encode_base58(
        ED25519_MULTICODEC_PREFIX + key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    )


def multikey_to_pem(text: str) -> str:
    """Convert an Ed25519 `publicKeyMultibase` to SPKI PEM. Raises `Refusal` (key_unusable)."""
    try:
        data = decode_base58(text)
    except ValueError as error:
        raise Refusal(RefusalReason.key_unusable, "not a base58 Multikey") from error
    if not data.startswith(ED25519_MULTICODEC_PREFIX) or len(data) != 34:
        raise Refusal(RefusalReason.key_unusable, "not an Ed25519 Multikey")
    return _public_pem(Ed25519PublicKey.from_public_bytes(data[2:]))


class _LoadedKey(NamedTuple):
    key: RSAPublicKey | Ed25519PublicKey
    algorithm: KeyAlgorithm


# Parsing a PEM takes several times as long as verifying a signature.
@lru_cache(maxsize=1024)
def _load_public(pem: str) -> _LoadedKey:
    if len(pem) > MAX_LEN_PEM:
        raise Refusal(RefusalReason.key_unusable, "the PEM is too long")
    try:
        key = load_pem_public_key(pem.strip().encode("ascii"))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Refusal(RefusalReason.key_unusable, "the PEM cannot be read") from error
    if isinstance(key, Ed25519PublicKey):
        return _LoadedKey(key, KeyAlgorithm.ed25519)
    if isinstance(key, RSAPublicKey) and MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        return _LoadedKey(key, KeyAlgorithm.rsa_sha256)
    raise Refusal(RefusalReason.key_unusable, "neither RSA of 2048 to 8192 bits nor Ed25519")


@lru_cache(maxsize=64)
def _load_private(pem: str) -> RSAPrivateKey | Ed25519PrivateKey:
    key = load_pem_private_key(pem.encode("ascii"), password=None)
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise Refusal(RefusalReason.key_unusable, "neither RSA nor Ed25519")
    return key


def _private_pem(key: RSAPrivateKey | Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")


def _public_pem(key: RSAPublicKey | Ed25519PublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")
