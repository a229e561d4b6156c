"""Object integrity proofs (FEP-8b32; W3C Data Integrity EdDSA Cryptosuites, `eddsa-jcs-2022`).

A document carries the signature of who answers for it, so that whoever passes it on need not be
believed.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

import rfc8785

from federation.errors import Reason, Refusal
from federation.origin import same_origin
from federation.properties import (
    JsonObject,
    format_time,
    id_of,
    ids_of,
    one_or_many,
    parse_time,
    type_of,
)
from federation.signatures.algorithms import Algorithm
from federation.signatures.dates import MAX_CLOCK_SKEW
from federation.signatures.keys import PrivateKey, PublicKey
from federation.signatures.multibase import decode_base58, encode_base58

PROOF_TYPE, PROOF_SUITE, PROOF_PURPOSE = "DataIntegrityProof", "eddsa-jcs-2022", "assertionMethod"
# What else a proof may state (a domain, a challenge, a proof before it) would have to be checked.
KNOWN_PROPERTIES = frozenset(
    {
        "@context",
        "id",
        "type",
        "cryptosuite",
        "created",
        "expires",
        "verificationMethod",
        "proofPurpose",
        "proofValue",
    }
)


def add_proof(document: JsonObject, key: PrivateKey, now: datetime) -> JsonObject:
    """`document` with a proof by `key`, in place of any that it has.

    Raises `Refusal` (key_unusable) unless it is an Ed25519 key, (proof_malformed) for what cannot
    be canonicalised.
    """
    if key.algorithm is not Algorithm.ed25519:
        raise Refusal(Reason.key_unusable, "proofs are made with Ed25519")
    plain = {name: value for name, value in document.items() if name != "proof"}
    proof = {
        "type": PROOF_TYPE,
        "cryptosuite": PROOF_SUITE,
        "verificationMethod": key.key_id,
        "proofPurpose": PROOF_PURPOSE,
        "created": format_time(now.replace(microsecond=0)),
    }
    if "@context" in plain:
        proof = {"@context": plain["@context"], **proof}
    value = encode_base58(key.sign(signed_bytes(plain, proof)))
    return {**plain, "proof": {**proof, "proofValue": value}}


def check_proof(
    document: Mapping[str, Any],
    find_key: Callable[[str], PublicKey],
    now: datetime,
    oldest: datetime | None = None,
) -> PublicKey:
    """The key of the document's own actor, author or, of an actor, self, that proves all of it.

    `find_key` gives the key of an id, or raises `Refusal`; it is asked about none but of the
    owner's origin. A proof made before `oldest` does not count. Raises `Refusal` (proof_missing,
    proof_malformed, proof_wrong, key_not_owned, key_unusable, and those of `find_key`).
    """
    proof = _find_proof(document, now, oldest)
    owner = _find_owner(document)
    method = proof["verificationMethod"]
    if not same_origin(method, owner):
        raise Refusal(Reason.key_not_owned, f"{method} is of another origin than {owner}")
    signature = _decode_signature(proof)
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    proven = [signed_bytes(plain, options) for plain in _provable_forms(document)]
    key = find_key(method)
    if key.owner != owner or not key.asserts:
        raise Refusal(Reason.key_not_owned, f"{owner} does not list {method} for proofs")
    if key.algorithm is not Algorithm.ed25519:
        raise Refusal(Reason.key_unusable, "proofs are made with Ed25519")
    if not any(key.verifies(data, signature) for data in proven):
        raise Refusal(Reason.proof_wrong)
    return key


def signed_bytes(document: Mapping[str, Any], options: Mapping[str, Any]) -> bytes:
    """What is signed: the SHA-256 of the proof's options, and that of the document, both canonical.

    Raises `Refusal` (proof_malformed) for numbers and texts that have no canonical form.
    """
    try:
        return b"".join(sha256(rfc8785.dumps(dict(part))).digest() for part in (options, document))
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise Refusal(Reason.proof_malformed, str(error)[:100]) from error


def _provable_forms(document: Mapping[str, Any]) -> list[JsonObject]:
    """What the proof may be of: Fedify adds a Linked Data Signature once it has proven the rest."""
    plain = {name: value for name, value in document.items() if name != "proof"}
    if "signature" not in plain:
        return [plain]
    return [plain, {name: value for name, value in plain.items() if name != "signature"}]


def _find_proof(document: Mapping[str, Any], now: datetime, oldest: datetime | None) -> JsonObject:
    """The one proof of the suite that we know, as far as it can be judged without its key."""
    proofs = [
        proof
        for proof in one_or_many(document.get("proof"))
        if isinstance(proof, dict)
        and type_of(proof) == PROOF_TYPE
        and proof.get("cryptosuite") == PROOF_SUITE
    ]
    if not proofs:
        raise Refusal(Reason.proof_missing)
    proof = proofs[0]
    if len(proofs) > 1 or not KNOWN_PROPERTIES.issuperset(proof):
        raise Refusal(Reason.proof_malformed, "several proofs, or more than is understood")
    if proof.get("proofPurpose") != PROOF_PURPOSE:
        raise Refusal(Reason.proof_malformed, "made for another purpose")
    if not isinstance(proof.get("verificationMethod"), str):
        raise Refusal(Reason.proof_malformed, "no key is named")
    if "@context" in proof and proof["@context"] != document.get("@context"):
        raise Refusal(Reason.proof_malformed, "made for another context")
    created, expires = parse_time(proof.get("created")), parse_time(proof.get("expires"))
    if created is None or created > now + MAX_CLOCK_SKEW:
        raise Refusal(Reason.proof_malformed, "not made at any time before now")
    if oldest is not None and created < oldest:
        raise Refusal(Reason.proof_malformed, "made too long ago")
    if "expires" in proof and (expires is None or expires < now):
        raise Refusal(Reason.proof_malformed, "no longer valid")
    return proof


def _find_owner(document: Mapping[str, Any]) -> str:
    """Who has to have signed: one only."""
    if "actor" in document:
        owner = id_of(document["actor"])
    elif "attributedTo" in document:
        owner = id_of(list(ids_of(document["attributedTo"])))
    else:
        owner = id_of(document.get("id"))
    if owner is None:
        raise Refusal(Reason.proof_malformed, "nobody alone answers for the document")
    return owner


def _decode_signature(proof: Mapping[str, Any]) -> bytes:
    value = proof.get("proofValue")
    try:
        signature = decode_base58(value) if isinstance(value, str) else b""
    except ValueError as error:
        raise Refusal(Reason.proof_malformed, "the value is not base58") from error
    if len(signature) != 64:
        raise Refusal(Reason.proof_malformed, "the value is no Ed25519 signature")
    return signature
