"""What a server says of its software, and what we read of others."""

import pytest

from federation.nodeinfo import (
    APPLICATION_REL,
    SCHEMA_URL,
    build_links,
    build_nodeinfo,
    content_type,
    find_application_id,
    find_document_url,
    find_software,
)

BASE = "https://barrowdale.example"


def test_ours_is_read_back() -> None:
    links = build_links(BASE, f"{BASE}/actor")
    assert find_document_url(links) == f"{BASE}/nodeinfo/2.1"
    assert find_application_id(links) == f"{BASE}/actor"
    document = build_nodeinfo("2.1", "1.2", user_count=3, post_count=4)
    assert find_software(document) == "moothall 1.2"
    assert document["usage"] == {"users": {"total": 3}, "localPosts": 4}
    assert document["openRegistrations"] is False
    assert content_type("2.1") == f'application/json; profile="{SCHEMA_URL}/2.1#"'


def test_the_newest_version_is_read() -> None:
    versions = ["1.0", "2.0", "1.1", "3.0"]
    links = [{"rel": f"{SCHEMA_URL}/{version}", "href": version} for version in versions]
    assert find_document_url({"links": links}) == "2.0"
    assert find_document_url({"links": [links[0], links[2]]}) == "1.1"
    assert find_document_url({"links": links[0]}) == "1.0"
    assert find_document_url({"links": links[3:]}) is None


@pytest.mark.parametrize(
    "link",
    [
        "text",
        {"rel": APPLICATION_REL},
        {"rel": APPLICATION_REL, "href": 5},
        {"rel": [APPLICATION_REL], "href": BASE},
    ],
)
def test_links_that_say_nothing(link: object) -> None:
    assert find_application_id({"links": [link]}) is None
    assert find_application_id({"links": [link, {"rel": APPLICATION_REL, "href": BASE}]}) == BASE


@pytest.mark.parametrize(
    "software, text",
    [
        (None, ""),
        ("x", ""),
        ({}, ""),
        ({"name": "mastodon"}, "mastodon"),
        ({"name": 5, "version": "4.5"}, "4.5"),
        ({"name": "mastodon", "version": "4.5"}, "mastodon 4.5"),
    ],
)
def test_software_of_others(software: object, text: str) -> None:
    assert find_software({"software": software}) == text
