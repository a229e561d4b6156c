"""Whatever arrives, the library answers with a verdict or one of its own errors (musts 24 and 33).

Two kinds of rubbish: arbitrary bytes and JSON; and good messages in which one thing is exchanged.
"""

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from federation import vocabulary
from federation.acceptance import InboxPolicy, accept, verify_embedded
from federation.council_digest import (
    BucketDigest,
    BucketDocument,
    CouncilDigest,
    bucket_number,
    combine,
    hash_entry,
)
from federation.errors import FederationError, Refusal
from federation.followers import CollectionSynchronization
from federation.proofs import add_proof, check_proof
from federation.signatures import (
    Headers,
    SignatureScheme,
    SignedRequest,
    claimed_host,
    key_or_owner,
    listed_keys,
)
from federation.signatures.structured_fields import HeaderFieldError, parse_dictionary
from federation.vocabulary import parse_json
from federation.webfinger import parse_resource
from tests.federation_library.peer import (
    ACTOR,
    HOST,
    KEY_ID,
    NOW,
    Keys,
    post,
    private_key,
    public_key,
    with_headers,
)
from tests.federation_library.test_vocabulary import COUNCIL, DOCUMENTS, NOTE, PROJECT

quick = settings(
    deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow], database=None
)
OPEN = InboxPolicy(is_host_allowed=lambda _: True)
PROVING = private_key("ed25519", f"{ACTOR}#ed25519-key")
PROVES = replace(public_key(PROVING), is_assertion_method=True)
PROVEN = add_proof(
    vocabulary.create(f"https://{HOST}/activities/1", ACTOR, NOTE.dump()), PROVING, NOW
)
PROJECT_URI = f"https://{HOST}/projects/1"
NUMBER = bucket_number(PROJECT_URI)
DIGESTS = [
    CouncilDigest(
        f"{ACTOR}/digest",
        ACTOR,
        (BucketDigest(NUMBER, 1, combine([hash_entry(PROJECT_URI, "1")])),),
    ).dump(),
    BucketDocument(f"{ACTOR}/digest/1", f"{ACTOR}/digest", NUMBER, {PROJECT_URI: "1"}).dump(),
]
GOOD = [document.dump() for document in DOCUMENTS] + [
    PROVEN,
    vocabulary.announce("https://forwarder.example/1", "https://forwarder.example/a", PROVEN),
    vocabulary.flag(f"https://{HOST}/2", ACTOR, [PROJECT.id, COUNCIL.id], "No"),
    vocabulary.move(f"https://{HOST}/3", ACTOR, "https://new.example/a"),
    *DIGESTS,
]
# Texts that mean something somewhere.
NASTY = [
    "",
    " ",
    "https://",
    "https://[",
    "https://[::1%25eth0]/",
    "https://a:99999/",
    "https://user@a/",
    "http://127.0.0.1/",
    "//a",
    "javascript:alert(1)",
    "did:key:z6Mk",
    "https://xn--/",
    "\ud800",
    "\x00",
    "\u202e",
    "9" * 400,
    "-1",
    "z" + "1" * 300,
    "2026-13-45T99:99:99Z",
    "0001-01-01T00:00:00+14:00",
    "as:Public",
    f"{ACTOR}#main-key",
    PROJECT_URI,
    "x" * 5000,
]
texts = st.sampled_from(NASTY) | st.text(max_size=12)
numbers = st.integers() | st.floats() | st.sampled_from([2**31, 2**53, 2**63, -(2**63), 10**400])
names = st.sampled_from(
    [
        *{name for document in GOOD for name in document},
        "href",
        "proofValue",
        "owner",
        "publicKeyPem",
        "nameMap",
        "items",
    ]
)
rubbish = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names | st.text(max_size=4), inner),
    max_leaves=12,
)


def keys() -> Keys:
    known = (public_key(), PROVES, public_key(private_key(), ACTOR))
    return Keys(stored={key.key_id: key for key in known})


def places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Each value of a document: what holds it, and under which name."""
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for name, value in items:
        yield document, name
        if isinstance(value, dict | list):
            yield from places(value)


@st.composite
def bent(draw: st.DrawFn) -> dict[str, Any]:
    """A good document with one or two things exchanged for rubbish, added, or left out."""
    document: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(1, 2))):
        holder, name = draw(st.sampled_from(list(places(document))))
        if draw(st.booleans()):
            holder[name] = draw(rubbish)
        elif isinstance(holder, dict):
            holder[draw(names)] = holder.pop(name)
        else:
            holder.append(draw(rubbish))
    return document


def proof_of(document: Any) -> None:
    check_proof(document, lambda _: PROVES, NOW)


def belief_in(document: Any) -> None:
    verify_embedded(document, "https://forwarder.example/a", OPEN, keys(), NOW)


READERS: list[Callable[[Any], object]] = [
    vocabulary.parse,
    vocabulary.Activity.parse,
    vocabulary.ActorDocument.parse,
    vocabulary.Article.parse,
    vocabulary.Note.parse,
    vocabulary.ProjectDocument.parse,
    vocabulary.Tombstone.parse,
    vocabulary.Collection.parse,
    vocabulary.CollectionPage.parse,
    CouncilDigest.parse,
    BucketDocument.parse,
    listed_keys,
    lambda document: key_or_owner(document, KEY_ID),
    proof_of,
    belief_in,
]


@given(bent() | st.dictionaries(names, rubbish, max_size=8))
@settings(quick, max_examples=400)
def test_must_33_a_document_is_read_or_refused(document: dict[str, Any]) -> None:
    for read in READERS:
        with suppress(FederationError):
            read(document)


@given(bent())
@quick
def test_what_was_read_can_be_written_and_read_again(document: dict[str, Any]) -> None:
    """And says the same: nothing that others write makes us write what we ourselves refuse."""
    try:
        found = vocabulary.parse(document)
    except FederationError:
        return
    if not isinstance(found, vocabulary.Activity):
        again = vocabulary.parse(found.dump())
        assert again.dump() == found.dump()


@given(
    st.binary(max_size=200)
    | rubbish.map(lambda value: json.dumps(value, allow_nan=True).encode())
    | st.text(alphabet='{}[]",:0123456789.eE-+ \\untrflasNIy', max_size=80).map(str.encode)
)
@quick
def test_must_24_bytes_are_an_object_or_refused(body: bytes) -> None:
    with suppress(Refusal):
        assert isinstance(parse_json(body), dict)


@pytest.mark.parametrize("opening", [b"[", b'{"x":', b'[{"x":['])
def test_must_24_depth_is_refused_before_it_hurts(opening: bytes) -> None:
    for times in (33, 1000, 100_000):
        with pytest.raises(Refusal):
            parse_json(opening * times)


@given(bent(), st.sampled_from(SignatureScheme))
@quick
def test_a_signed_message_is_accepted_or_refused(
    document: dict[str, Any], scheme: SignatureScheme
) -> None:
    body = json.dumps(document).encode()
    with suppress(Refusal):
        accept(post(body, scheme=scheme), OPEN, keys(), NOW)


HEADERS = ["signature", "signature-input", "date", "digest", "content-digest", "host"]
pieces = st.sampled_from(
    [
        'keyId="',
        f'keyId="{KEY_ID}",',
        'algorithm="hs2019",',
        'headers="(request-target) host date digest"',
        'signature="AAAA"',
        "sig1=",
        '("@method" "@target-uri" "content-digest")',
        ";created=1763899200",
        f';keyid="{KEY_ID}"',
        ";alg=",
        ":AAAA:",
        "?1",
        "SHA-256=",
        "sha-256=:AAAA:",
        '"',
        ",",
        "\\",
        "=",
        "(",
        ")",
    ]
)
field = st.lists(pieces | st.text(max_size=6), max_size=8).map("".join)


@given(
    st.sampled_from(SignatureScheme), st.dictionaries(st.sampled_from(HEADERS), field, min_size=1)
)
@quick
def test_headers_are_read_or_refused(scheme: SignatureScheme, changes: dict[str, str]) -> None:
    good = post(scheme=scheme)
    request = with_headers(good, **{name.replace("-", "_"): changes[name] for name in changes})
    claimed_host(request)
    with suppress(Refusal):
        accept(request, OPEN, keys(), NOW)


@given(st.lists(st.tuples(st.text(max_size=10), st.text(max_size=30)), max_size=6), st.binary())
@quick
def test_any_request_gets_a_verdict(fields: list[tuple[str, str]], body: bytes) -> None:
    request = SignedRequest("POST", "https", HOST, "/inbox", Headers(fields), body)
    with suppress(Refusal):
        accept(request, OPEN, keys(), NOW)


@given(field | texts)
@quick
def test_fields_are_read_or_refused(text: str) -> None:
    with suppress(HeaderFieldError):
        parse_dictionary(text)
    with suppress(FederationError):
        CollectionSynchronization.parse(text, f"{ACTOR}/followers")
    with suppress(FederationError):
        parse_resource(text)
