"""WebFinger, addresses as people type them, and NodeInfo (musts 1 and 2)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import nodeinfo
from federation.errors import AddressError, FederationError
from federation.webfinger import (
    CanonicalAccount,
    actor_id_from_jrd,
    build_jrd,
    parse_address,
    parse_resource,
    webfinger_url,
)

ACTOR = "https://a.example/councils/barrowdale"


@pytest.mark.parametrize(
    "text, found",
    [
        ("@barrowdale@a.example", ("barrowdale", "a.example")),
        (" barrowdale@A.Example ", ("barrowdale", "a.example")),
        ("acct:barrowdale@a.example", ("barrowdale", "a.example")),
        ("council@localhost:5101", ("council", "localhost:5101")),
        ("@b_1.x-y@a.example:443", ("b_1.x-y", "a.example")),
        (ACTOR, ACTOR),
        (f"{ACTOR}#main-key", ACTOR),
    ],
)
def test_addresses(text: str, found: tuple[str, str] | str) -> None:
    assert parse_address(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "@@",
        "barrowdale",
        "@barrowdale",
        "a.example",
        "@a@b@c",
        "a b@a.example",
        "@a@",
        "@@a.example",
        "a@-",
        "a@a.example/x",
        "a@môn.example",
        "ftp://a.example/x",
        "acct:",
        "acct:x",
        "-a@a.example",
        "a." * 60 + "@a.example",
        "javascript://a.example/",
        "é@a.example",
        "a@a.example?x",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(AddressError):
        parse_address(text)


@given(st.text(max_size=60) | st.text("acct:@.a/#?", max_size=20))
def test_nothing_but_address_errors(text: str) -> None:
    for parse in (parse_address, parse_resource):
        try:
            parse(text)
        except AddressError:
            continue


def test_resources() -> None:
    assert parse_resource("ACCT:barrowdale@A.example") == ("barrowdale", "a.example")
    assert parse_resource(ACTOR) == ACTOR
    with pytest.raises(AddressError):
        parse_resource("barrowdale@a.example")


def test_where_to_ask() -> None:
    path = "/.well-known/webfinger?resource=acct:council@"
    assert webfinger_url("council", "a.example") == f"https://a.example{path}a.example"
    local = webfinger_url("council", "localhost:5101", plain_http=True)
    assert local == f"http://localhost:5101{path}localhost:5101"


def test_our_answer_leads_back_to_the_actor() -> None:
    answer = build_jrd("acct:barrowdale@a.example", ACTOR, "https://a.example/")
    assert answer["subject"] == "acct:barrowdale@a.example"
    assert answer["links"][0] == {
        "rel": "self",
        "type": "application/activity+json",
        "href": ACTOR,
    }
    assert actor_id_from_jrd(answer, "barrowdale", "a.example") == ACTOR
    assert actor_id_from_jrd(answer, "Barrowdale", "A.example") == ACTOR


def link(**changes: Any) -> dict[str, Any]:
    return {"rel": "self", "type": "application/activity+json", "href": ACTOR} | changes


@pytest.mark.parametrize(
    "answer",
    [
        {"links": [link()]},
        {"links": link()},
        {"subject": ACTOR, "links": [link()]},
        {"subject": "acct:other@a.example", "links": [link()]},
        {"subject": "acct:barrowdale@b.example", "links": [link()]},
        {"links": [link(rel="http://ostatus.org/schema/1.0/subscribe"), 5, None, link()]},
        {
            "links": [
                link(type='application/ld+json; profile="https://www.w3.org/ns/activitystreams"')
            ]
        },
    ],
)
def test_answers_of_others(answer: dict[str, Any]) -> None:
    assert actor_id_from_jrd(answer, "barrowdale", "a.example") == ACTOR


@pytest.mark.parametrize(
    "answer",
    [
        None,
        5,
        [],
        "x",
        {},
        {"links": None},
        {"links": [None]},
        {"links": [link(rel="me")]},
        {"links": [link(type="text/html")]},
        {"links": [link(type=None)]},
        {"links": [link(href=None)]},
        {"links": [link(href="ftp://a.example/")]},
        {"subject": "acct:?", "links": [link()]},
    ],
)
def test_answers_that_do_not_do(answer: Any) -> None:
    with pytest.raises(FederationError):
        actor_id_from_jrd(answer, "barrowdale", "a.example")


def test_who_names_what_is_not_theirs_sends_us_on() -> None:
    """As Mastodon and GoToSocial do where an account has another domain than its server."""
    answer = {"subject": "acct:Council@a.example", "links": [link()]}
    assert actor_id_from_jrd(answer, "barrowdale", "b.example") == CanonicalAccount(
        "council", "a.example"
    )
    assert actor_id_from_jrd(answer, "council", "a.example") == ACTOR
    own = {"subject": "acct:barrowdale@b.example", "links": [link()]}
    assert actor_id_from_jrd(own, "barrowdale", "b.example") == ACTOR


def test_nodeinfo() -> None:
    links = nodeinfo.build_links("https://a.example", "https://a.example/actor")["links"]
    application = {
        "rel": "https://www.w3.org/ns/activitystreams#Application",
        "href": "https://a.example/actor",
    }
    assert links == [
        {
            "rel": f"http://nodeinfo.diaspora.software/ns/schema/{version}",
            "href": f"https://a.example/nodeinfo/{version}",
        }
        for version in ("2.1", "2.0")
    ] + [application]
    for version in nodeinfo.VERSIONS:
        document = nodeinfo.build_nodeinfo(version, "0.1.0", user_count=1, post_count=2)
        assert document["version"] == version
        assert document["software"] == {"name": "moothall", "version": "0.1.0"}
        assert document["protocols"] == ["activitypub"]
        assert document["openRegistrations"] is False
        assert document["usage"] == {"users": {"total": 1}, "localPosts": 2}
        assert version in nodeinfo.content_type(version)
