"""Which addresses may be used, and when two are of one origin."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import AddressError, Refusal, RefusalReason
from federation.origin import (
    Origin,
    check_fetched_id,
    check_id,
    host_of,
    normalise_authority,
    parse_origin,
    same_authority,
    same_origin,
)


@pytest.mark.parametrize(
    "url, found",
    [
        ("https://a.example", Origin("https", "a.example", 443)),
        ("https://a.example:443/x?y#z", Origin("https", "a.example", 443)),
        ("HTTPS://A.Example/X", Origin("https", "a.example", 443)),
        ("http://a.example:80/", Origin("http", "a.example", 80)),
        ("http://localhost:5101/actor", Origin("http", "localhost", 5101)),
        ("https://xn--mn-yja.example/M%C3%B4n", Origin("https", "xn--mn-yja.example", 443)),
        ("https://[2001:DB8:0::1]:8443/", Origin("https", "[2001:db8::1]", 8443)),
        ("https://192.0.2.1/", Origin("https", "192.0.2.1", 443)),
    ],
)
def test_origins(url: str, found: Origin) -> None:
    assert parse_origin(url) == found


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example",
        "/x",
        "//a.example/",
        "https:",
        "https://",
        "https:///x",
        "https:a.example",
        "ftp://a.example/",
        "javascript:alert(1)",
        "data:,x",
        "acct:a@b.example",
        "tag:a.example,2026:1",
        "https://user@a.example/",
        "https://user:pass@a.example/",
        "https://@a.example/",
        "https://a.example./",
        "https://.a.example/",
        "https://a..example/",
        "https://-a.example/",
        "https://a_b.example/",
        "https://môn.example/",
        "https://a.example:0/",
        "https://a.example:/",
        "https://a.example:65536/",
        "https://a.example:x/",
        "https://a.example:-1/",
        "https://a.example:８０/",
        "https://[::1",
        "https://[fe80::1%25eth0]/",
        "https://[v1.x]/",
        "https://::1/",
        "https://a.example\\@b.example/",
        "https://a.example/ x",
        " https://a.example/",
        "https://a.example/\n",
        "https://a\t.example/",
        "https://a.example/\x00",
        "https://a%2eexample/",
        "https://127。0。0。1/",
        "https://a.example/\ud800",
        "https://a.example/\u2028",
        "https://a.example/Môn",
        "https://a.example/" + "議" * 1900,
        "https://" + "a" * 64 + ".example/",
        "https://" + "a." * 127 + "example/",
        "https://a.example/" + "x" * 2000,
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(AddressError):
        parse_origin(url)
    assert not same_origin(url, url)


@given(st.text(max_size=60) | st.text("htps:/@.[]a-1%\\?#", max_size=30).map("https://".__add__))
def test_nothing_but_address_errors(url: str) -> None:
    try:
        found = parse_origin(url)
    except AddressError:
        return
    assert parse_origin(str(found)) == found


def test_same_origin() -> None:
    assert same_origin("https://a.example/x#y", "https://A.example:443/z")
    assert not same_origin("https://a.example/", "http://a.example/")
    assert not same_origin("https://a.example/", "https://a.example:8443/")
    assert not same_origin("https://a.example/", "https://b.a.example/")


def test_host_of_names_a_port_only_where_it_is_not_the_usual() -> None:
    assert host_of("https://A.example:443/x") == "a.example"
    assert host_of("http://a.example:80/") == "a.example"
    assert host_of("http://localhost:5101/") == "localhost:5101"
    assert host_of("https://a.example:80/") == "a.example:80"


@pytest.mark.parametrize(
    "text, found",
    [
        (" A.Example ", "a.example"),
        ("a.example:443", "a.example"),
        ("localhost:5101", "localhost:5101"),
        ("[::1]:80", "[::1]:80"),
    ],
)
def test_authorities_as_people_write_them(text: str, found: str) -> None:
    assert normalise_authority(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://a.example",
        "a.example/x",
        "u@a.example",
        "a b",
        "a.example?x",
        "a.example#x",
        "*",
    ],
)
def test_what_is_no_authority(text: str) -> None:
    with pytest.raises(AddressError):
        normalise_authority(text)


def test_same_authority() -> None:
    assert same_authority("https", "A.example:443", "a.example")
    assert same_authority("http", "a.example:80", "a.example")
    assert not same_authority("http", "a.example:443", "a.example")
    assert not same_authority("https", "a.example", "b.example")
    assert not same_authority("https", "a b", "a b")


def test_ids_are_https_but_for_named_hosts() -> None:
    assert check_id("https://a.example/1").authority == "a.example"
    with pytest.raises(AddressError):
        check_id("http://a.example/1")
    with pytest.raises(AddressError):
        check_id("http://localhost:5102/1", {"localhost:5101"})
    assert check_id("http://localhost:5101/1", {"localhost:5101"}).authority == "localhost:5101"


@pytest.mark.parametrize(
    "document, final, good",
    [
        ({"id": "https://a.example/1"}, "https://a.example/1", True),
        ({"id": "https://a.example/1"}, "https://a.example/moved/1", True),
        ({"id": "https://a.example/1"}, "https://b.example/1", False),
        ({"id": "https://b.example/1"}, "https://a.example/1", False),
        ({"id": "http://a.example/1"}, "https://a.example/1", False),
        ({"id": 1}, "https://a.example/1", False),
        ({}, "https://a.example/1", False),
    ],
)
def test_a_document_is_of_the_origin_that_serves_it(
    document: dict[str, Any], final: str, good: bool
) -> None:
    if good:
        assert check_fetched_id(document, "https://a.example/1", final) == document["id"]
        return
    with pytest.raises(Refusal) as refused:
        check_fetched_id(document, "https://a.example/1", final)
    assert refused.value.reason is RefusalReason.origin_mismatch
