"""The JSON Feed is valid (version 1.1): checked by our JSON Schema, as there is no official one."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from node.testing.visitor import Visitor
from tests.formats.mutation import ABSENT, with_wrong

# These tests do not depend on the database.
pytestmark = pytest.mark.parametrize("lasting_nodes", ["sqlite"], indirect=True)

SCHEMA = Path(__file__).with_name("json_feed.yml").read_text(encoding="utf-8")
VALIDATOR = Draft202012Validator(yaml.safe_load(SCHEMA))


def errors(document: Any) -> list[str]:
    """The rules of the standard that a feed breaks."""
    problems = [f"{each.json_path}: {each.message}" for each in VALIDATOR.iter_errors(document)]
    if problems:
        return problems
    if document.get("next_url") == document.get("feed_url"):
        problems.append("A feed must not follow itself.")
    if len({each["id"] for each in document["items"]}) < len(document["items"]):
        problems.append("Two items have one id.")
    return problems


@pytest.fixture
def document(stranger: Visitor) -> Any:
    response = stranger.visit("/projects.feed.json")
    assert response.mimetype == "application/feed+json"
    return response.json


def test_feed_is_valid(document: Any, stranger: Visitor) -> None:
    assert errors(document) == []
    assert document["items"]
    assert errors([document])
    assert errors(stranger.visit("/projects.feed.json?phase=live").json) == []


WRONG = {
    "version": (ABSENT, "1.1"),
    "title": (ABSENT, 1),
    "home_page_url": ("projects", 1),
    "feed_url": ("projects.feed.json",),
    "next_url": ("", "https://x y/"),
    "language": ("English", 1),
    "authors": ("Aldermoor", [{}], [{"called": "A"}], [{"name": 1}], ["A"]),
    "items": (ABSENT, {}, [1], [{"id": "a", "content_html": ""}] * 2),
    "items.0.id": (ABSENT, "", 1),
    "items.0.url": ("projects",),
    "items.0.title": (1,),
    "items.0.summary": (1,),
    "items.0.content_html": (ABSENT, 1),
    "items.0.date_published": ("yesterday", "2030-02-01"),
    "items.0.date_modified": ("2030-02-01T00:00:00", 1),
    "items.0.authors": ([{}],),
    "items.0.language": ("",),
    "items.0.tags": ("waste", [1]),
    "items.0._licence": ("MIT",),
    "items.0.colour": ("green",),
    "colour": ("green",),
}


@pytest.mark.parametrize("place", WRONG)
def test_invalid_feed_is_detected(document: Any, place: str) -> None:
    for wrong in WRONG[place]:
        assert errors(with_wrong(document, place, wrong)), wrong


def test_feed_that_follows_itself_is_detected(document: Any) -> None:
    assert errors(with_wrong(document, "next_url", document["feed_url"]))
