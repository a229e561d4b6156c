"""What somebody else passes on: believed with a proof of its own actor, and else not (must 15)."""

import json
from dataclasses import replace
from typing import Any

import pytest

from federation import vocabulary
from federation.acceptance import (
    Accepted,
    Ignored,
    InboxPolicy,
    MustFetch,
    VerifiedDocument,
    accept,
    verify_embedded,
)
from federation.errors import DocumentError, Refusal, RefusalReason
from federation.followers import HEADER_NAME
from federation.proofs import add_proof
from federation.signatures import PublicKey, SignedRequest
from tests.federation_library.peer import (
    ACTOR,
    HOST,
    NOW,
    Keys,
    activity,
    cavage_signed,
    post,
    private_key,
    public_key,
    with_headers,
)
from tests.federation_library.test_vocabulary import NOTE

OPEN = InboxPolicy(is_host_allowed=lambda _: True)
GROUP = "https://forwarder.example/groups/1"
SENDER = private_key("rsa", f"{GROUP}#main-key")
SENDERS = public_key(SENDER, GROUP)
PROVING = private_key("ed25519", f"{ACTOR}#ed25519-key")
PROVES = replace(public_key(PROVING), is_assertion_method=True)
CREATE = vocabulary.create(f"https://{HOST}/activities/1", ACTOR, NOTE.dump())
PROVEN = add_proof(CREATE, PROVING, NOW)


def keys(*known: PublicKey, served: PublicKey | RefusalReason | None = None) -> Keys:
    found = Keys(stored={key.key_id: key for key in known})
    if served is not None:
        found.served[PROVING.key_id] = served
    return found


def forwarded(document: dict[str, Any]) -> SignedRequest:
    return post(json.dumps(document).encode(), key=SENDER)


def refused(request: SignedRequest, found: Keys, policy: InboxPolicy = OPEN) -> Refusal:
    with pytest.raises(Refusal) as caught:
        accept(request, policy, found, NOW)
    return caught.value


def test_must_15_a_proof_of_the_actor_stands_for_its_own_signature() -> None:
    found = keys(SENDERS, PROVES)
    verdict = accept(forwarded(PROVEN), OPEN, found, NOW)
    assert isinstance(verdict, Accepted)
    assert (verdict.activity.actor, verdict.key) == (ACTOR, PROVES)
    assert verdict.forwarded_by == GROUP
    assert verdict.is_embedded_trusted
    assert found.fetched == []


def test_what_an_actor_sends_itself_is_not_forwarded() -> None:
    verdict = accept(post(json.dumps(PROVEN).encode()), OPEN, keys(public_key()), NOW)
    assert isinstance(verdict, Accepted)
    assert verdict.forwarded_by is None


def test_must_15_without_a_proof_only_the_actor_itself_is_heard() -> None:
    for kind in ("Create", "Update", "Delete", "Announce", "Like", "Undo"):
        document = {**CREATE, "type": kind}
        refusal = refused(forwarded(document), keys(SENDERS, PROVES))
        assert (refusal.reason, refusal.status) == (RefusalReason.actor_not_key_owner, 403)


@pytest.mark.parametrize(
    "document",
    [
        {**PROVEN, "type": "Announce"},
        {**PROVEN, "id": f"https://{HOST}/activities/2"},
        {**PROVEN, "actor": f"https://{HOST}/councils/other"},
        {**PROVEN, "proof": {**PROVEN["proof"], "created": "2026-01-01T00:00:00Z"}},
        {**PROVEN, "proof": {}},
        {**PROVEN, "proof": None},
        add_proof(CREATE, replace(SENDER, pem=PROVING.pem), NOW),
        add_proof(CREATE, private_key("ed25519", f"{ACTOR}#another"), NOW),
    ],
    ids=range(8),
)
def test_must_15_a_proof_that_is_not_the_actors_is_none(document: dict[str, Any]) -> None:
    refusal = refused(forwarded(document), keys(SENDERS, PROVES))
    assert refusal.status in {401, 403}


def test_the_request_has_to_be_signed_all_the_same() -> None:
    refusal = refused(with_headers(forwarded(PROVEN), signature=None), keys(SENDERS, PROVES))
    assert refusal.reason is RefusalReason.signature_missing
    moved = replace(forwarded(PROVEN), target="/other")
    assert refused(moved, keys(SENDERS, PROVES)).status == 401


def test_both_servers_have_to_be_allowed_before_a_key_is_fetched() -> None:
    for host in (HOST, "forwarder.example"):
        found = keys(SENDERS)
        policy = InboxPolicy(is_host_allowed=lambda asked, refused=host: asked != refused)  # type: ignore[misc]
        assert refused(forwarded(PROVEN), found, policy).reason is RefusalReason.host_not_allowed
        assert found.fetched == []


def test_a_key_that_is_unknown_or_old_is_fetched_once() -> None:
    old = replace(public_key(private_key("ed25519", f"{ACTOR}#old")), key_id=PROVING.key_id)
    for known in (
        (),
        (replace(old, is_assertion_method=True),),
        (replace(PROVES, is_assertion_method=False),),
    ):
        found = keys(SENDERS, *known, served=PROVES)
        assert isinstance(accept(forwarded(PROVEN), OPEN, found, NOW), Accepted)
        assert found.fetched == [PROVING.key_id]
    found = keys(SENDERS, served=RefusalReason.key_gone)
    assert refused(forwarded(PROVEN), found).reason is RefusalReason.key_gone


def test_a_proof_does_not_widen_whom_an_actor_speaks_for() -> None:
    document = {**CREATE, "type": "Delete", "object": "https://x.example/1"}
    refusal = refused(forwarded(add_proof(document, PROVING, NOW)), keys(SENDERS, PROVES))
    assert refusal.reason is RefusalReason.origin_mismatch
    foreign = {**CREATE, "object": {"id": "https://x.example/1", "type": "Note"}}
    verdict = accept(forwarded(add_proof(foreign, PROVING, NOW)), OPEN, keys(SENDERS, PROVES), NOW)
    assert isinstance(verdict, Accepted)
    assert not verdict.is_embedded_trusted


def test_the_forwarders_headers_are_not_the_actors() -> None:
    request = with_headers(forwarded(PROVEN), collection_synchronization="x")
    names = ("(request-target)", "host", "date", "digest", HEADER_NAME.lower())
    request = cavage_signed(request, names, key=SENDER)
    verdict = accept(request, OPEN, keys(SENDERS, PROVES), NOW)
    assert isinstance(verdict, Accepted)
    assert verdict.covered_components == frozenset()


def told(
    document: Any, found: Keys | None = None, teller: str = GROUP
) -> VerifiedDocument | MustFetch:
    return verify_embedded(document, teller, OPEN, found or keys(PROVES), NOW)


def test_what_a_group_announces_is_believed_with_a_proof_of_its_author() -> None:
    assert told(PROVEN) == VerifiedDocument(PROVEN, is_embedded_trusted=True)
    note = add_proof(NOTE.dump(), PROVING, NOW)
    assert told(note) == VerifiedDocument(note, is_embedded_trusted=False)


@pytest.mark.parametrize(
    "document",
    [
        CREATE["id"],
        {"id": CREATE["id"]},
        CREATE,
        {**PROVEN, "type": "Update"},
        {**PROVEN, "actor": "https://x.example/a"},
        add_proof({**CREATE, "id": "https://x.example/1"}, PROVING, NOW),
        add_proof({**NOTE.dump(), "attributedTo": [ACTOR, GROUP]}, PROVING, NOW),
    ],
    ids=range(7),
)
def test_anything_else_that_is_announced_is_fetched_from_where_it_lives(document: Any) -> None:
    uri = document if isinstance(document, str) else document["id"]
    assert told(document) == MustFetch(uri)


def test_what_is_of_the_tellers_own_origin_is_believed() -> None:
    own = vocabulary.create("https://forwarder.example/1", GROUP, "https://forwarder.example/2")
    assert told(own) == VerifiedDocument(own, is_embedded_trusted=False)
    assert told(CREATE, teller=CREATE["id"]) == VerifiedDocument(CREATE, is_embedded_trusted=True)
    stranger = {**CREATE, "actor": "https://x.example/a"}
    assert told(stranger, teller=CREATE["id"]) == MustFetch(CREATE["id"])


def test_a_proven_activity_of_what_is_anothers_is_refused() -> None:
    deletes = add_proof({**CREATE, "type": "Delete", "object": "https://x.example/1"}, PROVING, NOW)
    with pytest.raises(Refusal) as caught:
        told(deletes)
    assert caught.value.reason is RefusalReason.origin_mismatch


def test_nothing_is_fetched_from_a_server_that_is_not_allowed() -> None:
    found = keys()
    policy = InboxPolicy(is_host_allowed=lambda host: host != HOST)
    for document in (PROVEN, PROVEN["id"]):
        with pytest.raises(Refusal) as caught:
            verify_embedded(document, GROUP, policy, found, NOW)
        assert caught.value.reason is RefusalReason.host_not_allowed
    elsewhere = add_proof({**CREATE, "id": "https://x.example/1"}, PROVING, NOW)
    assert verify_embedded(elsewhere, GROUP, policy, found, NOW) == MustFetch("https://x.example/1")
    assert found.fetched == []


@pytest.mark.parametrize("document", [None, {}, {"id": 5}, "x", "http://x.example/1", {"id": ""}])
def test_what_has_no_id_is_nothing(document: Any) -> None:
    with pytest.raises(DocumentError):
        told(document)


def test_a_key_that_cannot_be_had_leaves_the_origin_to_ask() -> None:
    assert told(PROVEN, keys(served=RefusalReason.key_not_found)) == MustFetch(PROVEN["id"])


def test_a_body_with_a_name_twice_is_not_read() -> None:
    body = activity().replace(b'"actor"', b'"actor": "https://x.example/a", "actor"')
    assert refused(post(body, key=SENDER), keys(SENDERS)).reason is RefusalReason.not_json


LINKED_DATA = {"signature": {"type": "RsaSignature2017", "signatureValue": "x"}}
MIRRORED = {"id": f"https://{HOST}/activities/1", "actor": ACTOR, **LINKED_DATA}


@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_of_what_mastodon_forwards_only_the_object_is_used_after_a_fetch(kind: str) -> None:
    document = {**MIRRORED, "type": kind, "object": NOTE.dump()}
    verdict = accept(forwarded(document), OPEN, keys(SENDERS), NOW)
    assert isinstance(verdict, Accepted)
    assert (verdict.is_unverified, verdict.is_embedded_trusted) == (True, False)
    assert (verdict.forwarded_by, verdict.key) == (GROUP, SENDERS)


@pytest.mark.parametrize(
    "change",
    [
        {"type": "Like", "object": NOTE.id},
        {"type": "Undo", "object": ACTOR},
        {"type": "Update", "object": "https://elsewhere.example/1"},
        {"type": "Delete", "object": "https://elsewhere.example/1"},
    ],
)
def test_what_is_forwarded_without_an_object_to_fetch_is_ignored(change: dict[str, Any]) -> None:
    verdict = accept(forwarded({**MIRRORED, **change}), OPEN, keys(SENDERS), NOW)
    assert isinstance(verdict, Ignored)
    assert verdict.deleted_actor is None
    assert verdict.refusal
    assert verdict.refusal.reason is RefusalReason.actor_not_key_owner


def test_a_forwarded_deletion_of_an_actor_is_only_noted() -> None:
    document = {**MIRRORED, "type": "Delete", "object": ACTOR}
    verdict = accept(forwarded(document), OPEN, keys(SENDERS), NOW)
    assert isinstance(verdict, Ignored)
    assert (verdict.deleted_actor, verdict.refusal) == (ACTOR, None)


def test_a_fetch_for_what_is_forwarded_is_only_from_an_allowed_server() -> None:
    document = {**MIRRORED, "type": "Create", "object": NOTE.dump()}
    policy = InboxPolicy(is_host_allowed=lambda asked: asked != HOST)
    refusal = refused(forwarded(document), keys(SENDERS), policy)
    assert refusal.reason is RefusalReason.host_not_allowed
