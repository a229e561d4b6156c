"""Digests of projects: the same whatever the order, and strictly read."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.council_digest import (
    BUCKET_COUNT,
    EMPTY_DIGEST,
    MAX_ENTRIES,
    BucketDigest,
    BucketDocument,
    CouncilDigest,
    TypeDigest,
    bucket_number,
    combine,
    dump_types,
    hash_entry,
    parse_types,
    type_digest_uri,
)
from federation.errors import DocumentError
from federation.origin import MAX_LEN_URL
from federation.vocabulary import parse_json
from tests.federation_library.peer import ACTOR, HOST

ENTRIES = {f"https://{HOST}/projects/{number}": f"r{number}" for number in range(2000)}
ID = f"{ACTOR}/digest"


def buckets() -> dict[int, BucketDocument]:
    found: dict[int, dict[str, str]] = {}
    for uri, revision in ENTRIES.items():
        found.setdefault(bucket_number(uri), {})[uri] = revision
    return {
        number: BucketDocument(f"{ID}/{number}", ID, number, found[number])
        for number in sorted(found)
    }


def digest() -> CouncilDigest:
    return CouncilDigest(
        ID,
        ACTOR,
        tuple(
            BucketDigest(number, len(bucket.entries), bucket.digest)
            for number, bucket in buckets().items()
        ),
    )


def test_both_documents_come_back_as_they_were() -> None:
    whole = digest()
    assert whole.count == 2000
    assert whole.digest == combine(hash_entry(*item) for item in ENTRIES.items())
    assert CouncilDigest.parse(parse_json(json.dumps(whole.dump()).encode())) == whole
    empty = CouncilDigest(ID, ACTOR)
    assert (empty.count, empty.digest) == (0, EMPTY_DIGEST)
    assert CouncilDigest.parse(empty.dump()) == empty
    for number, bucket in buckets().items():
        assert BucketDocument.parse(parse_json(json.dumps(bucket.dump()).encode())) == bucket
        assert whole.bucket_id(number) == bucket.id


@given(st.permutations(list(ENTRIES.items())[:20]))
def test_the_order_does_not_matter_and_a_change_is_one_more(entries: list[tuple[str, str]]) -> None:
    whole = combine(hash_entry(*item) for item in entries)
    assert whole == combine(hash_entry(*item) for item in list(ENTRIES.items())[:20])
    (uri, revision), *rest = entries
    changed = combine([hash_entry(uri, revision), hash_entry(uri, "new")], whole)
    assert changed == combine(hash_entry(*item) for item in [(uri, "new"), *rest])
    assert changed != whole


def test_the_projects_of_a_country_fit() -> None:
    """A bucket of 100,000 projects, and a whole digest document, are well below 1 MiB."""
    many = {f"https://{HOST}/projects/{number:0>12}": "r" * 16 for number in range(450)}
    assert len(json.dumps(BucketDocument(ID, ID, 0, many).dump())) < 100_000
    full = tuple(BucketDigest(number, 400, "f" * 64) for number in range(BUCKET_COUNT))
    assert len(json.dumps(CouncilDigest(ID, ACTOR, full).dump())) < 50_000


FIRST = digest().dump()["buckets"][0]


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"type": "Note"},
        {"attributedTo": None},
        {"attributedTo": "https://elsewhere.example/"},
        {"totalItems": 1999},
        {"totalItems": "2000"},
        {"totalItems": None},
        {"digest": EMPTY_DIGEST},
        {"digest": None},
        {"buckets": None},
        {"buckets": {}},
        {"buckets": [5]},
        {"buckets": []},
        {"buckets": [FIRST, FIRST]},
        {"buckets": [FIRST] * 257},
        {"buckets": [FIRST | {"number": 256}]},
        {"buckets": [FIRST | {"number": -1}]},
        {"buckets": [FIRST | {"number": True}]},
        {"buckets": [FIRST | {"count": 2**31}]},
        {"buckets": [FIRST | {"digest": "F" * 64}]},
        {"buckets": [FIRST | {"digest": "0x" + "0" * 62}]},
        {"buckets": [FIRST | {"digest": 5}]},
    ],
)
def test_what_is_no_digest(changes: dict[str, Any]) -> None:
    with pytest.raises(DocumentError):
        CouncilDigest.parse(digest().dump() | changes)


NUMBER, BUCKET = next(iter(buckets().items()))
URI = next(iter(BUCKET.entries))
OTHER = next(uri for uri in ENTRIES if bucket_number(uri) != NUMBER)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"type": "Note"},
        {"partOf": None},
        {"partOf": "https://elsewhere.example/"},
        {"number": None},
        {"number": 256},
        {"number": (NUMBER + 1) % 256},
        {"entries": None},
        {"entries": [URI]},
        {"entries": [[URI]]},
        {"entries": [[URI, "1", "2"]]},
        {"entries": [[URI, 5]]},
        {"entries": [[URI, ""]]},
        {"entries": [[URI, "x" * 41]]},
        {"entries": [[5, "1"]]},
        {"entries": [[URI, "1"], [URI, "2"]]},
        {"entries": [[OTHER, "1"]]},
        {"entries": [["https://elsewhere.example/1", "1"]]},
        {"entries": [["https://x.example/" + "x" * 2000, "1"]]},
        {"entries": [["\ud800", "1"]]},
        {"entries": [[URI, "1"]] * (MAX_ENTRIES + 1)},
    ],
)
def test_what_is_no_bucket(changes: dict[str, Any]) -> None:
    with pytest.raises(DocumentError):
        BucketDocument.parse(BUCKET.dump() | changes)


def test_buckets_have_the_numbers_up_to_255() -> None:
    for number, is_bucket in ((0, True), (255, True), (256, False)):
        empty = BucketDocument(f"{ID}/{number}", ID, number, {})
        listed = CouncilDigest(ID, ACTOR, (BucketDigest(number, 1, "f" * 64),))
        if is_bucket:
            assert BucketDocument.parse(empty.dump()) == empty
            assert CouncilDigest.parse(listed.dump()) == listed
            continue
        for read, document in ((BucketDocument.parse, empty), (CouncilDigest.parse, listed)):
            with pytest.raises(DocumentError):
                read(document.dump())


def test_a_list_of_plugin_documents_comes_back_as_it_was() -> None:
    whole = TypeDigest(type_digest_uri(ID, "Checklist"), ID, dict(list(ENTRIES.items())[:20]))
    assert whole.id == f"{ID}/documents/Checklist"
    assert TypeDigest.parse(parse_json(json.dumps(whole.dump()).encode())) == whole
    assert whole.dump()["totalItems"] == 20


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"type": "OrderedCollection"},
        {"partOf": None},
        {"partOf": "https://elsewhere.example/"},
        {"entries": None},
        {"entries": [[URI, "1"], [URI, "2"]]},
        {"entries": [["https://elsewhere.example/1", "1"]]},
        {"entries": [[URI, "1"]] * (MAX_ENTRIES + 1)},
    ],
)
def test_what_is_no_list_of_plugin_documents(changes: dict[str, Any]) -> None:
    document = TypeDigest(f"{ID}/documents/Checklist", ID, {URI: "1"}).dump()
    with pytest.raises(DocumentError):
        TypeDigest.parse(document | changes)


def test_the_header_with_the_types_comes_back_as_it_was() -> None:
    digests = {"Zebra": "a" * 64, "Checklist": "0" * 64}
    header = dump_types(digests)
    assert header == f'Checklist="{"0" * 64}", Zebra="{"a" * 64}"'
    assert parse_types(header) == digests
    assert parse_types(None) is None
    assert parse_types("") == parse_types("nonsense") == {}


def test_limits_are_what_may_just_be() -> None:
    most = 2**31 // BUCKET_COUNT - 1
    full = tuple(BucketDigest(number, most, "f" * 64) for number in range(BUCKET_COUNT))
    whole = CouncilDigest(ID, ACTOR, full)
    assert CouncilDigest.parse(whole.dump()) == whole
    start = f"https://{HOST}/"
    long = start + "x" * (MAX_LEN_URL - len(start))
    bucket = BucketDocument(ID, ID, bucket_number(long), {long: "r" * 40})
    assert BucketDocument.parse(bucket.dump()) == bucket
    longer = replace(bucket, number=bucket_number(f"{long}x"), entries={f"{long}x": "r"})
    with pytest.raises(DocumentError):
        BucketDocument.parse(longer.dump())
