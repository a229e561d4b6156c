"""Object integrity proofs (FEP-8b32; W3C Data Integrity EdDSA Cryptosuites, `eddsa-jcs-2022`).

A document carries its author's signature, so that readers need not trust the server that forwards
it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

import rfc8785

from federation.errors import Refusal, RefusalReason
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
from federation.signatures.algorithms import KeyAlgorithm
from federation.signatures.dates import MAX_CLOCK_SKEW
from federation.signatures.keys import PrivateKey, PublicKey
from federation.signatures.multibase import decode_base58, encode_base58

PROOF_TYPE, PROOF_SUITE, PROOF_PURPOSE = "DataIntegrityProof", "eddsa-jcs-2022", "assertionMethod"
# Any other property (a domain, a challenge, a previous proof) would have to be checked too.
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
    """Return `document` with a proof by `key`, which replaces any other.

    Raises `Refusal`: key_unusable unless `key` is an Ed25519 key, proof_malformed for a document
    that cannot be canonicalised.
    """
    if key.algorithm is not KeyAlgorithm.ed25519:
        raise Refusal(RefusalReason.key_unusable, "proofs are made with Ed25519")
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    proof = {
        "type": PROOF_TYPE,
        "cryptosuite": PROOF_SUITE,
        "verificationMethod": key.key_id,
        "proofPurpose": PROOF_PURPOSE,
        "created": format_time(now.replace(microsecond=0)),
    }
    if "@context" in unsecured:
        proof = {"@context": unsecured["@context"], **proof}
    value = encode_base58(key.sign(signed_bytes(unsecured, proof)))
    return {**unsecured, "proof": {**proof, "proofValue": value}}


def check_proof(
    document: Mapping[str, Any],
    find_key: Callable[[str], PublicKey],
    now: datetime,
    oldest: datetime | None = None,
) -> PublicKey:
    """Return the key by which the document's owner proves it.

    The owner is the document's actor, else its author, else (for an actor) the document itself.
    `find_key` returns the key with an id, or raises `Refusal`; it is called only for ids of the
    owner's origin. Proofs made before `oldest` are not accepted. Raises `Refusal` (proof_missing,
    proof_malformed, proof_wrong, key_not_owned, key_unusable, or as `find_key` does).
    """
    proof = _find_proof(document, now, oldest)
    owner = _find_owner(document)
    method = proof["verificationMethod"]
    if not same_origin(method, owner):
        raise Refusal(RefusalReason.key_not_owned, f"{method} and {owner} differ in origin")
    signature = _decode_signature(proof)
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    signed_forms = [signed_bytes(unsecured, options) for unsecured in _provable_forms(document)]
    key = find_key(method)
    if key.owner != owner or not key.is_assertion_method:
        raise Refusal(RefusalReason.key_not_owned, f"{owner} does not list {method} for proofs")
    if key.algorithm is not KeyAlgorithm.ed25519:
        raise Refusal(RefusalReason.key_unusable, "proofs are made with Ed25519")
    if not any(key.verifies(signed_form, signature) for signed_form in signed_forms):
        raise Refusal(RefusalReason.proof_wrong)
    return key


def signed_bytes(document: Mapping[str, Any], options: Mapping[str, Any]) -> bytes:
    """Return the bytes to sign: SHA-256 of the canonical options, then of the canonical document.

    Raises `Refusal` (proof_malformed) for numbers and texts without a canonical form (RFC 8785).
    """
    try:
        return b"".join(sha256(rfc8785.dumps(dict(part))).digest() for part in (options, document))
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise Refusal(RefusalReason.proof_malformed, str(error)[:100]) from error


def _provable_forms(document: Mapping[str, Any]) -> list[JsonObject]:
    """The forms of a document that its proof may cover.

    Fedify adds a Linked Data Signature after the proof, so the document without it counts as well.
    """
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    if "signature" not in unsecured:
        return [unsecured]
    return [unsecured, {name: value for name, value in unsecured.items() if name != "signature"}]


def _find_proof(document: Mapping[str, Any], now: datetime, oldest: datetime | None) -> JsonObject:
    """Return the single `eddsa-jcs-2022` proof, after every check that needs no key."""
    proofs = [
        proof
        for proof in one_or_many(document.get("proof"))
        if isinstance(proof, dict)
        and type_of(proof) == PROOF_TYPE
        and proof.get("cryptosuite") == PROOF_SUITE
    ]
    if not proofs:
        raise Refusal(RefusalReason.proof_missing)
    proof = proofs[0]
    if len(proofs) > 1 or not KNOWN_PROPERTIES.issuperset(proof):
        raise Refusal(RefusalReason.proof_malformed, "several proofs, or unknown properties")
    if proof.get("proofPurpose") != PROOF_PURPOSE:
        raise Refusal(RefusalReason.proof_malformed, "made for another purpose")
    if not isinstance(proof.get("verificationMethod"), str):
        raise Refusal(RefusalReason.proof_malformed, "no verificationMethod")
    if "@context" in proof and proof["@context"] != document.get("@context"):
        raise Refusal(RefusalReason.proof_malformed, "made for another context")
    created, expires = parse_time(proof.get("created")), parse_time(proof.get("expires"))
    if created is None or created > now + MAX_CLOCK_SKEW:
        raise Refusal(RefusalReason.proof_malformed, "created is missing or in the future")
    if oldest is not None and created < oldest:
        raise Refusal(RefusalReason.proof_malformed, "created too long ago")
    if "expires" in proof and (expires is None or expires < now):
        raise Refusal(RefusalReason.proof_malformed, "expired")
    return proof


def _find_owner(document: Mapping[str, Any]) -> str:
    """Return the id of the actor whose proof is required."""
    if "actor" in document:
        owner = id_of(document["actor"])
    elif "attributedTo" in document:
        owner = id_of(list(ids_of(document["attributedTo"])))
    else:
        owner = id_of(document.get("id"))
    if owner is None:
        raise Refusal(RefusalReason.proof_malformed, "the document has no single owner")
    return owner


def _decode_signature(proof: Mapping[str, Any]) -> bytes:
    value = proof.get("proofValue")
    try:
        signature = decode_base58(value) if isinstance(value, str) else b""
    except ValueError as error:
        raise Refusal(RefusalReason.proof_malformed, "the value is not base58") from error
    if len(signature) != 64:
        raise Refusal(RefusalReason.proof_malformed, "the value is not an Ed25519 signature")
    return signature
