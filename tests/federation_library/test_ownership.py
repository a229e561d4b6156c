"""Whose key it is (must 14): only the owner's own document, at its own id, says so."""

from typing import Any

import pytest

from federation.errors import Refusal, RefusalReason
from federation.signatures import (
    OwnerToFetch,
    PublicKey,
    generate_ed25519,
    key_from_actor,
    key_or_owner,
    listed_keys,
    public_pem,
)
from federation.signatures.key_ownership import MAX_KEYS, strip_to_keys
from federation.signatures.keys import MAX_LEN_PEM, pem_to_multikey
from tests.federation_library.peer import ACTOR, HOST, KEY_ID, private_key, public_key

PEM = public_key().pem
STANDALONE = f"{ACTOR}/main-key"
ED25519_PEM = public_pem(generate_ed25519())


def key(key_id: str = KEY_ID, owner: str | None = ACTOR, pem: str = PEM) -> dict[str, Any]:
    return {"id": key_id, "owner": owner, "publicKeyPem": pem}


def actor(*keys: Any, uri: str = ACTOR, **more: Any) -> dict[str, Any]:
    return {"id": uri, "type": "Organization", "publicKey": list(keys), **more}


@pytest.mark.parametrize(
    "listed",
    [
        key(),
        [key()],
        [key(f"{ACTOR}#old", pem="unreadable"), key()],
        {"id": KEY_ID, "publicKeyPem": PEM},
        {"id": KEY_ID, "controller": ACTOR, "publicKeyPem": PEM},
        {"id": KEY_ID, "owner": {"id": ACTOR}, "publicKeyPem": PEM},
    ],
)
def test_the_owners_own_document_lists_the_key(listed: Any) -> None:
    document = {"id": ACTOR, "publicKey": listed}
    assert key_or_owner(document, KEY_ID) == PublicKey(KEY_ID, ACTOR, PEM)


def test_a_pkcs1_pem_is_read() -> None:
    from cryptography.hazmat.primitives import serialization

    loaded = serialization.load_pem_private_key(private_key().pem.encode(), None)
    pkcs1 = loaded.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.PKCS1
    )
    found = key_from_actor(actor(key(pem=pkcs1.decode())), KEY_ID)
    assert found.verifies(b"text", private_key().sign(b"text"))


def test_the_actors_own_id_means_its_first_key() -> None:
    assert key_or_owner(actor(key()), ACTOR) == PublicKey(ACTOR, ACTOR, PEM)


def test_a_key_with_an_address_of_its_own_leads_to_its_owner() -> None:
    step = key_or_owner(key(STANDALONE), STANDALONE)
    assert step == OwnerToFetch(ACTOR, STANDALONE)
    assert step.find_key_in(actor(key(STANDALONE))) == PublicKey(STANDALONE, ACTOR, PEM)


def test_an_actor_served_at_the_keys_address_is_asked_again_at_its_own_id() -> None:
    """As GoToSocial does. The document proves nothing: anybody may be able to upload one."""
    step = key_or_owner(actor(key(STANDALONE)), STANDALONE)
    assert step == OwnerToFetch(ACTOR, STANDALONE)
    with pytest.raises(Refusal) as refused:
        step.find_key_in(actor(key()))
    assert refused.value.reason is RefusalReason.key_not_owned


def test_the_owners_document_must_be_the_owners() -> None:
    step = OwnerToFetch(ACTOR, STANDALONE)
    with pytest.raises(Refusal) as refused:
        step.find_key_in(actor(key(STANDALONE, owner=None), uri=f"https://{HOST}/councils/victim"))
    assert refused.value.reason is RefusalReason.key_not_owned


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"id": 5},
        {"id": ACTOR},
        {"id": ACTOR, "publicKey": KEY_ID},
        {"id": ACTOR, "publicKey": [None, 5, {"id": 5, "publicKeyPem": PEM}, {"id": KEY_ID}]},
        actor(key(owner=f"https://{HOST}/councils/other")),
        actor(key(f"{ACTOR}#other-key")),
        key(f"{ACTOR}#main-key", owner="https://evil.example/actor"),
        key(owner=None),
        actor(key(), uri="https://evil.example/actor"),
    ],
)
def test_what_lists_no_such_key(document: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        key_or_owner(document, KEY_ID)
    assert refused.value.reason is RefusalReason.key_not_owned


def test_nobody_owns_a_key_of_another_origin() -> None:
    evil = "https://evil.example/actor"
    with pytest.raises(Refusal) as refused:
        key_from_actor(actor(key(owner=evil), uri=evil), KEY_ID)
    assert refused.value.reason is RefusalReason.key_not_owned


@pytest.mark.parametrize(
    "pem", ["", "unreadable", "é", "-----BEGIN PUBLIC KEY-----", PEM + "x" * 9000]
)
def test_an_unusable_key_is_refused(pem: str) -> None:
    with pytest.raises(Refusal) as refused:
        PublicKey(KEY_ID, ACTOR, pem).check_usable()
    assert refused.value.reason is RefusalReason.key_unusable


@pytest.mark.parametrize("curve", ["SECP256R1", "SECP256K1"])
def test_other_kinds_of_keys_are_refused(curve: str) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    other = ec.generate_private_key(getattr(ec, curve)()).public_key()
    pem = other.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with pytest.raises(Refusal) as refused:
        key_from_actor(actor(key(pem=pem.decode())), KEY_ID)
    assert refused.value.reason is RefusalReason.key_unusable


def test_listed_keys_are_the_usable_ones_of_the_actors_origin() -> None:
    document = actor(
        key(),
        key(f"{ACTOR}#broken", pem="unreadable"),
        key("https://evil.example/key"),
        assertionMethod=[
            {
                "id": f"{ACTOR}#ed25519",
                "type": "Multikey",
                "controller": ACTOR,
                "publicKeyMultibase": pem_to_multikey(ED25519_PEM),
            },
            {"id": f"{ACTOR}#bad", "controller": ACTOR, "publicKeyMultibase": "z0OIl"},
            {"id": f"{ACTOR}#short", "controller": ACTOR, "publicKeyMultibase": "z6Mk"},
        ],
    )
    assert listed_keys(document) == (
        PublicKey(KEY_ID, ACTOR, PEM),
        PublicKey(f"{ACTOR}#ed25519", ACTOR, ED25519_PEM, is_assertion_method=True),
    )
    assert listed_keys({}) == ()


def test_private_keys_do_not_show_themselves() -> None:
    assert "PRIVATE" not in repr(private_key())


def test_a_document_stripped_to_its_keys_still_says_whose_they_are() -> None:
    old = key(f"{ACTOR}#old") | {"note": "x" * 9000}
    document = actor(
        key(), old, f"{ACTOR}#linked", 5, ["nested"], name="Barrowdale", assertionMethod=KEY_ID
    )
    assert strip_to_keys(document) == {
        "id": ACTOR,
        "publicKey": [key(), key(f"{ACTOR}#old"), f"{ACTOR}#linked"],
        "verificationMethod": [],
        "assertionMethod": [KEY_ID],
    }
    assert key_from_actor(strip_to_keys(document), KEY_ID) == key_from_actor(document, KEY_ID)
    assert strip_to_keys(key(STANDALONE)) | {
        name: [] for name in ("publicKey", "verificationMethod", "assertionMethod")
    } == strip_to_keys(key(STANDALONE))


def test_what_is_too_long_stays_too_long_when_it_is_stripped() -> None:
    (stripped,) = strip_to_keys(actor(key(pem="x" * 20_000)))["publicKey"]
    assert len(stripped["publicKeyPem"]) == MAX_LEN_PEM + 1
    many = [key(f"{ACTOR}#{number}") for number in range(MAX_KEYS + 5)]
    assert strip_to_keys(actor(*many))["publicKey"] == many[:MAX_KEYS]


@pytest.mark.parametrize("bits, usable", [(2047, False), (2048, True), (8192, True), (8193, False)])
def test_rsa_keys_have_2048_to_8192_bits(bits: int, usable: bool) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    loaded = RSAPublicNumbers(65537, (1 << (bits - 1)) + 1).public_key()
    pem = loaded.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert (listed_keys(actor(key(pem=pem.decode()))) != ()) is usable
