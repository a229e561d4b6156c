"""Object integrity proofs: the published vectors, ours, and every way to tamper with one."""

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import rfc8785

from federation import vocabulary
from federation.errors import Refusal, RefusalReason
from federation.proofs import add_proof, check_proof, signed_bytes
from federation.signatures import PrivateKey, PublicKey
from federation.signatures.keys import multikey_to_pem
from federation.signatures.multibase import MAX_LEN, decode_base58, encode_base58
from federation.vocabulary import parse_json
from tests.federation_library.peer import ACTOR, HOST, NOW, private_key, public_key
from tests.federation_library.test_vocabulary import NOTE

PUBLISHED = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
ALICE = "https://server.example/users/alice"
# fep-8b32.feature
FEP = {
    "@context": [
        "https://www.w3.org/ns/activitystreams",
        "https://w3id.org/security/data-integrity/v1",
    ],
    "type": "Create",
    "actor": ALICE,
    "object": {"type": "Note", "content": "Hello world"},
    "proof": {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": f"{ALICE}#ed25519-key",
        "proofPurpose": "assertionMethod",
        "proofValue": "z3sXaxjKs4M3BRicwWA9peyNPJvJqxtGsDmpt1jjoHCjgeUf71TRFz56osPSfDErszyLp5Ks1E"
        "hYSgpDaNM977Rg2",
        "created": "2023-02-24T23:36:38Z",
    },
}
# W3C Data Integrity EdDSA Cryptosuites v1.0, appendix B.2
CREDENTIAL_CONTEXT = [
    "https://www.w3.org/ns/credentials/v2",
    "https://www.w3.org/ns/credentials/examples/v2",
]
CREDENTIAL = {
    "@context": CREDENTIAL_CONTEXT,
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "AlumniCredential"],
    "name": "Alumni Credential",
    "description": "A minimum viable example of an Alumni Credential.",
    "issuer": "https://vc.example/issuers/5678",
    "validFrom": "2023-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"},
}
CREDENTIAL_OPTIONS = {
    "type": "DataIntegrityProof",
    "cryptosuite": "eddsa-jcs-2022",
    "created": "2023-02-24T23:36:38Z",
    "verificationMethod": f"did:key:{PUBLISHED}#{PUBLISHED}",
    "proofPurpose": "assertionMethod",
    "@context": CREDENTIAL_CONTEXT,
}
CREDENTIAL_VALUE = (
    "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX"
)

KEY = private_key("ed25519", f"{ACTOR}#ed25519-key")
LISTED = replace(public_key(KEY), is_assertion_method=True)
CREATE = vocabulary.create(f"https://{HOST}/activities/1", ACTOR, NOTE.dump())
PROVEN = add_proof(CREATE, KEY, NOW)


def found(key: PublicKey = LISTED) -> Any:
    return lambda _: key


def refused(document: Any, find_key: Any = None, now: datetime = NOW) -> Refusal:
    with pytest.raises(Refusal) as caught:
        check_proof(document, find_key or found(), now)
    return caught.value


def proof(**changes: Any) -> dict[str, Any]:
    """The document with its proof changed afterwards; what is None is left out."""
    changed = {**PROVEN["proof"], **changes}
    return {
        **PROVEN,
        "proof": {name: value for name, value in changed.items() if value is not None},
    }


def signed_with(**changes: Any) -> dict[str, Any]:
    """The document signed with other options of the proof."""
    options = {name: value for name, value in PROVEN["proof"].items() if name != "proofValue"}
    options |= changes
    options = {name: value for name, value in options.items() if value is not None}
    value = encode_base58(KEY.sign(signed_bytes(CREATE, options)))
    return {**CREATE, "proof": {**options, "proofValue": value}}


def test_the_vector_of_the_fep() -> None:
    key = PublicKey(
        f"{ALICE}#ed25519-key", ALICE, multikey_to_pem(PUBLISHED), is_assertion_method=True
    )
    assert check_proof(FEP, found(key), NOW) == key
    changed = copy.deepcopy(FEP)
    changed["object"]["content"] = "Hello worlds"  # type: ignore[index]
    assert refused(changed, found(key)).reason is RefusalReason.proof_wrong


def test_the_vector_of_the_cryptosuite() -> None:
    data = signed_bytes(CREDENTIAL, CREDENTIAL_OPTIONS)
    key = PublicKey("", "", multikey_to_pem(PUBLISHED))
    assert key.verifies(data, decode_base58(CREDENTIAL_VALUE))
    assert not key.verifies(data + b" ", decode_base58(CREDENTIAL_VALUE))


def test_canonical_json_is_that_of_the_rfc() -> None:
    """RFC 8785 section 3.2.2 and its order by UTF-16 units."""
    numbers = [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001]
    text = "\u20ac$\u000f\nA'\u0042\u0022\u005c\\\"/"
    document: Any = {"numbers": numbers, "string": text, "literals": [None, True, False]}
    assert rfc8785.dumps(document) == (
        b'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        + '"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'.encode()
    )
    order = ["\r", "1", "\x80", "\xf6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(json.loads(rfc8785.dumps(dict.fromkeys(reversed(order), 1)))) == order


def test_ours_is_checked_wherever_it_went() -> None:
    assert check_proof(PROVEN, found(), NOW) == LISTED
    body = json.dumps(PROVEN, indent=1, sort_keys=True, ensure_ascii=True).encode()
    assert check_proof(parse_json(body), found(), NOW) == LISTED
    assert PROVEN["proof"]["@context"] == CREATE["@context"]
    assert PROVEN["proof"]["created"] == "2026-11-23T12:00:00Z"
    again = add_proof(PROVEN, KEY, NOW + timedelta(days=1))
    assert again["proof"] != PROVEN["proof"]
    assert check_proof(again, found(), NOW + timedelta(days=1)) == LISTED


def test_a_proof_does_not_age() -> None:
    assert check_proof(PROVEN, found(), NOW + timedelta(days=4000)) == LISTED


def test_an_embedded_proof_survives_being_announced() -> None:
    announced = vocabulary.announce("https://x.example/2", "https://x.example/a", PROVEN)
    arrived = parse_json(json.dumps(announced).encode())
    assert check_proof(arrived["object"], found(), NOW) == LISTED


def paths(document: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(document, dict):
        items: Any = document.items()
    elif isinstance(document, list):
        items = enumerate(document)
    else:
        yield at
        return
    for name, value in items:
        yield from paths(value, (*at, name))


@pytest.mark.parametrize("path", list(paths(PROVEN)), ids=str)
def test_every_field_is_covered(path: tuple[Any, ...]) -> None:
    for change in ("other", "removed", "added"):
        document = copy.deepcopy(PROVEN)
        holder: Any = document
        for name in path[:-1]:
            holder = holder[name]
        if change == "other":
            holder[path[-1]] = "https://elsewhere.example/"
        elif change == "removed":
            del holder[path[-1]]
        elif isinstance(holder, list):
            holder.append("https://elsewhere.example/")
        else:
            holder["added"] = "https://elsewhere.example/"
        assert refused(document).status in {401, 403}


def test_the_owner_must_list_the_key_for_proofs() -> None:
    assert (
        refused(PROVEN, found(replace(LISTED, is_assertion_method=False))).reason
        is RefusalReason.key_not_owned
    )
    other = replace(LISTED, owner=f"https://{HOST}/councils/other")
    assert refused(PROVEN, found(other)).reason is RefusalReason.key_not_owned
    rsa = replace(public_key(), is_assertion_method=True)
    assert refused(PROVEN, found(rsa)).reason is RefusalReason.key_unusable
    another = private_key("ed25519", f"{ACTOR}#another")
    assert refused(
        PROVEN, found(replace(public_key(another), is_assertion_method=True))
    ).reason is (RefusalReason.proof_wrong)


def test_nobody_signs_for_another() -> None:
    """Not even of the same server; and a key of another origin is not asked for."""
    for actor in (f"https://{HOST}/councils/other", "https://elsewhere.example/a"):
        forged = add_proof({**CREATE, "actor": actor}, KEY, NOW)
        assert refused(forged).reason is RefusalReason.key_not_owned
    asked: list[str] = []
    evil = PrivateKey("https://evil.example/a#key", KEY.pem)
    refusal = refused(add_proof(CREATE, evil, NOW), asked.append)
    assert (refusal.reason, asked) == (RefusalReason.key_not_owned, [])


@pytest.mark.parametrize(
    "actor", [None, [], 5, [ACTOR, "https://x.example/"], {"type": "Person"}], ids=str
)
def test_one_alone_answers_for_the_document(actor: Any) -> None:
    for name in ("actor", "attributedTo"):
        document = {"id": f"https://{HOST}/1", "type": "Note", name: actor}
        assert refused(add_proof(document, KEY, NOW)).reason is RefusalReason.proof_malformed


def test_objects_and_actors_are_proven_too() -> None:
    for document in (NOTE.dump(), {"id": ACTOR, "type": "Organization", "inbox": f"{ACTOR}/in"}):
        assert check_proof(add_proof(document, KEY, NOW), found(), NOW) == LISTED


@pytest.mark.parametrize(
    "document",
    [
        signed_with(created=None),
        signed_with(created="yesterday"),
        signed_with(created=(NOW + timedelta(hours=2)).isoformat()),
        signed_with(expires=(NOW - timedelta(seconds=1)).isoformat()),
        signed_with(expires="never"),
        signed_with(proofPurpose="authentication"),
        signed_with(proofPurpose=None),
        signed_with(verificationMethod=None),
        signed_with(verificationMethod={"id": KEY.key_id}),
        signed_with(domain="elsewhere.example"),
        signed_with(previousProof="urn:uuid:1"),
        signed_with(**{"@context": ["https://www.w3.org/ns/activitystreams"]}),
        proof(proofValue=None),
        proof(proofValue=5),
        proof(proofValue=""),
        proof(proofValue="z"),
        proof(proofValue="z0OIl"),
        proof(proofValue="m" + PROVEN["proof"]["proofValue"][1:]),
        proof(proofValue=encode_base58(bytes(63))),
        proof(proofValue="z" + "1" * 1_000_000),
        {**PROVEN, "proof": [PROVEN["proof"], PROVEN["proof"]]},
        {**PROVEN, "object": 2**60},
        {**PROVEN, "object": float("nan")},
        {**PROVEN, "object": "\ud800"},
    ],
)
def test_what_is_no_proof(document: dict[str, Any]) -> None:
    assert refused(document).reason is RefusalReason.proof_malformed


@pytest.mark.parametrize(
    "document",
    [
        CREATE,
        {**CREATE, "proof": None},
        {**CREATE, "proof": []},
        {**CREATE, "proof": "https://x.example/proof"},
        proof(type="Ed25519Signature2020"),
        proof(cryptosuite="eddsa-rdfc-2022"),
    ],
    ids=lambda document: str(document.get("proof"))[:40],
)
def test_what_has_no_proof_that_we_know(document: dict[str, Any]) -> None:
    assert refused(document).reason is RefusalReason.proof_missing


def test_proofs_of_other_kinds_stand_beside_ours() -> None:
    other = {"type": "MitraJcsRsaSignature2022", "proofValue": "x"}
    assert check_proof({**PROVEN, "proof": [other, PROVEN["proof"]]}, found(), NOW) == LISTED


def test_a_time_to_live_may_be_stated() -> None:
    lasting = signed_with(expires="2099-01-01T00:00:00Z")
    assert check_proof(lasting, found(), NOW) == LISTED
    assert (
        refused(lasting, now=datetime(2100, 1, 1, tzinfo=UTC)).reason
        is RefusalReason.proof_malformed
    )


def test_depth_costs_no_more_than_a_refusal() -> None:
    deep: Any = {}
    for _ in range(100_000):
        deep = {"x": deep}
    assert refused({**PROVEN, "object": deep}).reason is RefusalReason.proof_malformed


def test_only_ed25519_keys_make_proofs() -> None:
    with pytest.raises(Refusal) as caught:
        add_proof(CREATE, private_key(), NOW)
    assert caught.value.reason is RefusalReason.key_unusable


def test_base58_keeps_zeros() -> None:
    for data in (b"", b"\0", b"\0\0\x01", bytes(64), b"\xff" * 64):
        assert decode_base58(encode_base58(data)) == data


def test_a_linked_data_signature_may_be_added_to_what_is_proven() -> None:
    signed = {**PROVEN, "signature": {"type": "RsaSignature2017", "signatureValue": "eA=="}}
    assert check_proof(signed, found(), NOW) == LISTED
    with pytest.raises(Refusal):
        check_proof({**signed, "actor": f"{ACTOR}x"}, found(), NOW)
    before = add_proof(signed, KEY, NOW)
    assert check_proof(before, found(), NOW) == LISTED
    with pytest.raises(Refusal):
        check_proof({**before, "signature": {}}, found(), NOW)


def test_base58_has_a_limit() -> None:
    assert len(decode_base58("z" + "1" * (MAX_LEN - 1))) == MAX_LEN - 1
    with pytest.raises(ValueError, match="not base58"):
        decode_base58("z" + "1" * MAX_LEN)
    assert MAX_LEN == 200


def test_a_proof_may_be_exactly_as_old_as_is_accepted() -> None:
    assert check_proof(PROVEN, found(), NOW, oldest=NOW) == LISTED
    with pytest.raises(Refusal) as refused:
        check_proof(PROVEN, found(), NOW, oldest=NOW + timedelta(seconds=1))
    assert refused.value.reason is RefusalReason.proof_malformed
