"""The inbox's verdicts and their order: musts 10 to 21 and 24, 30."""

import json
from dataclasses import replace
from typing import Any

import pytest

from federation.acceptance import Accepted, Ignored, InboxPolicy, accept
from federation.errors import Refusal, RefusalReason
from federation.signatures import (
    PrivateKey,
    PublicKey,
    SignatureScheme,
    SignedRequest,
    generate_rsa,
)
from tests.federation_library.peer import (
    ACTOR,
    BODY,
    HOST,
    KEY_ID,
    NOW,
    Keys,
    activity,
    post,
    private_key,
    public_key,
    with_headers,
)

OPEN = InboxPolicy(is_host_allowed=lambda _: True)
FOREIGN = "https://elsewhere.example/1"
OWN = f"https://{HOST}/projects/1"


def known(*keys: PublicKey) -> Keys:
    return Keys(stored={key.key_id: key for key in keys or (public_key(),)})


def refused(
    request: SignedRequest, keys: Keys | None = None, policy: InboxPolicy = OPEN
) -> Refusal:
    with pytest.raises(Refusal) as caught:
        accept(request, policy, keys or known(), NOW)
    return caught.value


def accepted(body: bytes = BODY) -> Accepted:
    verdict = accept(post(body), OPEN, known(), NOW)
    assert isinstance(verdict, Accepted)
    return verdict


@pytest.mark.parametrize("scheme", SignatureScheme)
def test_a_signed_activity_of_a_known_actor_is_accepted(scheme: SignatureScheme) -> None:
    keys = known()
    verdict = accept(post(scheme=scheme), OPEN, keys, NOW)
    assert isinstance(verdict, Accepted)
    assert (verdict.activity.actor, verdict.key, verdict.body) == (ACTOR, public_key(), BODY)
    assert keys.fetched == []


def test_an_unknown_key_is_fetched_once() -> None:
    keys = Keys(served={KEY_ID: public_key()})
    assert isinstance(accept(post(), OPEN, keys, NOW), Accepted)
    assert keys.fetched == [KEY_ID]


@pytest.mark.parametrize(
    "reason", [RefusalReason.key_not_found, RefusalReason.key_gone, RefusalReason.key_not_owned]
)
def test_a_key_that_cannot_be_had_is_refused(reason: RefusalReason) -> None:
    refusal = refused(post(), Keys(served={KEY_ID: reason}))
    assert (refusal.reason, refusal.status) == (reason, 401)


def test_a_rotated_key_is_accepted_after_one_fetch() -> None:
    old, new = public_key(PrivateKey(KEY_ID, generate_rsa())), public_key()
    keys = Keys(stored={KEY_ID: old}, served={KEY_ID: new})
    verdict = accept(post(), OPEN, keys, NOW)
    assert isinstance(verdict, Accepted)
    assert (verdict.key, keys.fetched) == (new, [KEY_ID])


def test_a_forgery_costs_one_fetch_and_is_refused() -> None:
    keys = Keys(stored={KEY_ID: public_key()}, served={KEY_ID: public_key()})
    forged = post(key=PrivateKey(KEY_ID, generate_rsa()))
    assert refused(forged, keys).reason is RefusalReason.signature_wrong
    assert keys.fetched == [KEY_ID]


def test_an_unknown_actor_that_deletes_itself_is_ignored_without_a_fetch() -> None:
    for deleted in (ACTOR, {"type": "Person", "id": ACTOR}):
        keys = Keys(served={KEY_ID: RefusalReason.key_gone})
        verdict = accept(post(activity(type="Delete", object=deleted)), OPEN, keys, NOW)
        assert isinstance(verdict, Ignored)
        assert keys.fetched == []


def test_a_known_actor_that_deletes_itself_is_checked() -> None:
    body = activity(type="Delete", object=ACTOR)
    assert isinstance(accept(post(body), OPEN, known(), NOW), Accepted)
    forged = post(body, key=PrivateKey(KEY_ID, generate_rsa()))
    assert refused(forged).reason is RefusalReason.key_not_found


def test_hosts_are_judged_by_the_key_before_any_fetch() -> None:
    asked: list[str] = []
    keys = Keys()

    def nobody(host: str) -> bool:
        asked.append(host)
        return False

    refusal = refused(post(), keys, InboxPolicy(is_host_allowed=nobody))
    assert (refusal.reason, refusal.status) == (RefusalReason.host_not_allowed, 403)
    assert (asked, keys.fetched) == ([HOST], [])


@pytest.mark.parametrize(
    "content_type, good",
    [
        ("application/activity+json", True),
        ("Application/Activity+JSON; charset=utf-8", True),
        ('application/ld+json; profile="https://www.w3.org/ns/activitystreams"', True),
        ("application/ld+json", True),
        ("application/json", False),
        ("text/html", False),
        ("", False),
        (None, False),
    ],
)
def test_content_types(content_type: str | None, good: bool) -> None:
    request = with_headers(post(), content_type=content_type)
    if good:
        assert isinstance(accept(request, OPEN, known(), NOW), Accepted)
    else:
        refusal = refused(request)
        assert (refusal.reason, refusal.status) == (RefusalReason.wrong_type, 415)


def test_a_mebibyte_is_taken_and_no_more() -> None:
    padding = "x" * (1_048_576 - len(activity(content="")))
    assert len(accepted(activity(content=padding)).body) == 1_048_576
    refusal = refused(post(activity(content=padding + "x")))
    assert (refusal.reason, refusal.status) == (RefusalReason.too_large, 413)


@pytest.mark.parametrize(
    "body, reason",
    [
        (b"", RefusalReason.not_json),
        (b"[]", RefusalReason.not_json),
        (b"{", RefusalReason.not_json),
        (b"\xff{}", RefusalReason.not_json),
        (b"{}", RefusalReason.not_activity),
        (activity(id=None), RefusalReason.not_activity),
        (activity(actor=None), RefusalReason.not_activity),
        (activity(type=None), RefusalReason.not_activity),
        (activity(id=5), RefusalReason.not_activity),
        (activity(id="tag:barrowdale.example,2026:1"), RefusalReason.not_activity),
        (activity(id=f"http://{HOST}/activities/1"), RefusalReason.not_activity),
        (activity(id=f"https://u@{HOST}/activities/1"), RefusalReason.not_activity),
        (activity(actor=ACTOR.replace("https", "http")), RefusalReason.not_activity),
        (activity(id="https://x.example/" + "x" * 2000), RefusalReason.not_activity),
        (activity(type="x" * 101), RefusalReason.not_activity),
    ],
)
def test_what_is_no_activity(body: bytes, reason: RefusalReason) -> None:
    refusal = refused(post(body))
    assert (refusal.reason, refusal.status) == (reason, 400)


@pytest.mark.parametrize(
    "key_id", ["main-key", "http://barrowdale.example/#k", "https:///#k", "ftp://x/"]
)
def test_keys_at_no_https_address_are_refused(key_id: str) -> None:
    refusal = refused(post(key=private_key("rsa", key_id)))
    assert (refusal.reason, refusal.status) == (RefusalReason.key_not_found, 401)


def test_plain_http_only_where_the_operator_said_so() -> None:
    base = "http://localhost:5101"
    key = private_key("rsa", f"{base}/actor#main-key")
    body = activity(id=f"{base}/activities/1", actor=f"{base}/actor")
    keys = known(public_key(key, f"{base}/actor"))
    assert refused(post(body, key=key), keys).reason is RefusalReason.key_not_found
    policy = replace(OPEN, plain_http_hosts={"localhost:5101"})
    assert isinstance(accept(post(body, key=key), policy, keys, NOW), Accepted)


def test_the_key_must_be_of_its_owners_origin() -> None:
    key = private_key("rsa", "https://evil.example/key")
    refusal = refused(post(key=key), known(public_key(key, owner=ACTOR)))
    assert (refusal.reason, refusal.status) == (RefusalReason.key_not_owned, 401)


@pytest.mark.parametrize(
    "actor", [f"https://{HOST}/councils/other", f"{ACTOR}#x", "https://x.example/"]
)
def test_the_actor_must_be_the_keys_owner(actor: str) -> None:
    refusal = refused(post(activity(actor=actor)))
    assert (refusal.reason, refusal.status) == (RefusalReason.actor_not_key_owner, 403)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": FOREIGN},
        {"id": f"https://{HOST}:8443/activities/1"},
        {"type": "Update", "object": FOREIGN},
        {"type": "Update", "object": {"id": FOREIGN, "type": "Note"}},
        {"type": "Update", "object": {"type": "Note"}},
        {"type": "Delete", "object": FOREIGN},
        {"type": "Delete", "object": {"id": FOREIGN, "type": "Tombstone"}},
        {"type": "Delete", "object": None},
        {"type": "Delete", "object": [OWN, FOREIGN]},
    ],
)
def test_an_actor_speaks_for_its_origin_only(changes: dict[str, Any]) -> None:
    refusal = refused(post(activity(**changes)))
    assert (refusal.reason, refusal.status) == (RefusalReason.origin_mismatch, 403)


@pytest.mark.parametrize("kind", ["Create", "Announce", "Undo"])
@pytest.mark.parametrize(
    "embedded, trusted",
    [
        ({"id": OWN, "attributedTo": ACTOR}, True),
        ({"id": OWN}, True),
        ({"id": OWN, "actor": ACTOR}, True),
        ({"id": OWN, "attributedTo": [ACTOR, {"id": f"https://{HOST}/2"}]}, True),
        ({"id": FOREIGN, "attributedTo": ACTOR}, False),
        ({"id": OWN, "attributedTo": FOREIGN}, False),
        ({"id": OWN, "attributedTo": [ACTOR, FOREIGN]}, False),
        ({"id": OWN, "actor": FOREIGN}, False),
        ({"attributedTo": ACTOR}, False),
        (OWN, False),
        (None, False),
    ],
)
def test_embedded_objects_are_trusted_within_the_origin(
    kind: str, embedded: Any, trusted: bool
) -> None:
    if isinstance(embedded, dict):
        embedded = {"type": "Article", **embedded}
    assert accepted(activity(type=kind, object=embedded)).is_embedded_trusted is trusted


def test_unknown_types_are_accepted() -> None:
    assert accepted(activity(type="EmojiReact", object=[FOREIGN, OWN])).activity.object is None


def test_the_order_of_the_checks() -> None:
    """A request in which everything is wrong is refused for each reason in turn as it is mended."""
    body = activity(id=FOREIGN)
    keys = known(public_key(owner=f"https://{HOST}/councils/other"))
    hosts: set[str] = set()
    policy = InboxPolicy(is_host_allowed=lambda host: host in hosts, max_bytes=3000)
    request = with_headers(
        replace(post(json.dumps({"x": "y" * 3000}).encode()), target="/other"),
        content_type="text/plain",
        date="Mon, 23 Nov 2020 12:00:00 GMT",
    )
    seen = [refused(request, keys, policy).reason]
    request = replace(request, body=b"[]")
    seen.append(refused(request, keys, policy).reason)
    request = with_headers(request, content_type="application/activity+json")
    seen.append(refused(request, keys, policy).reason)
    hosts.add(HOST)
    seen.append(refused(request, keys, policy).reason)
    request = replace(request, body=body)
    seen.append(refused(request, keys, policy).reason)
    good = post(body)
    request = with_headers(request, digest=good.headers.get("digest"))
    seen.append(refused(request, keys, policy).reason)
    request = with_headers(request, date=good.headers.get("date"))
    keys.served[KEY_ID] = RefusalReason.key_gone
    seen.append(refused(request, keys, policy).reason)
    keys.served[KEY_ID] = keys.stored[KEY_ID]
    seen.append(refused(request, keys, policy).reason)
    request = good
    seen.append(refused(request, keys, policy).reason)
    keys.stored[KEY_ID] = public_key()
    seen.append(refused(request, keys, policy).reason)
    assert seen == [
        RefusalReason.too_large,
        RefusalReason.wrong_type,
        RefusalReason.host_not_allowed,
        RefusalReason.not_json,
        RefusalReason.digest_wrong,
        RefusalReason.date_outside_window,
        RefusalReason.key_gone,
        RefusalReason.signature_wrong,
        RefusalReason.actor_not_key_owner,
        RefusalReason.origin_mismatch,
    ]
    assert isinstance(accept(post(), policy, keys, NOW), Accepted)
