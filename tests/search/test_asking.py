"""Queries and the projects they find, the same with both database engines."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from node.testing.nodes import TestNode
from tests.search.writing import titles

BIN = "Report a missed bin"
PARKING = "Parking permits online"
WARM = "Tŷ cynnes i bawb"
CAFE = "Café licences"

CASES: dict[str, set[str]] = {
    "missed": {BIN},
    "MISSED Bin": {BIN},
    # Any form of an English word, in the title or below.
    "bins": {BIN, PARKING},
    "bin": {BIN, PARKING},
    "reported collection": {BIN},
    "permit": {PARKING},
    # Both words.
    "bin permit": {PARKING},
    "bin giraffe": set(),
    # Phrases.
    '"missed bin"': {BIN},
    '"bin missed"': set(),
    '"bins were missed"': {BIN},
    '"reports a missed"': set(),
    "“missed bin”": {BIN},
    '"missed bin': {BIN},
    # A phrase does not span two texts.
    '"bin residents"': set(),
    '"bin report"': set(),
    # Excluded words.
    "bins -parking": {BIN},
    "bins -permits": {BIN},
    'bins -"another matter"': {BIN},
    "-bins": {WARM, CAFE},
    "bins -bins": set(),
    # Prefixes.
    "park*": {PARKING},
    "collec*": {BIN},
    "cyn*": {WARM},
    "b*": set(),
    # Hyphens and apostrophes in words.
    "e-mail": {BIN},
    "email": set(),
    "council's": {BIN, PARKING, WARM, CAFE},
    "its": {BIN},
    "it's": {BIN},
    # Accents, in the text and in the query; Welsh, in upper and lower case.
    "ty": {WARM},
    "tŷ": {WARM},
    "TŶ": {WARM},
    "ty\u0302": {WARM},
    "dwr": {WARM},
    "dŵr ŵyn": {WARM},
    "wyn": {WARM},
    "cymru": set(),
    "nghymru": {WARM},
    '"tai cyngor"': {WARM},
    "mae'r": {WARM},
    # Translations.
    "warm homes": {WARM},
    "heated home": {WARM},
    "cafe": {CAFE},
    "CAFÉ": {CAFE},
    "naive facade": {CAFE},
    "aesir lodz strasse smorrebrod": {CAFE},
    # Details, and the council's name.
    "django": {BIN},
    '"user research"': {BIN},
    "aldermoor": {BIN, PARKING, WARM, CAFE},
    "pattern": {BIN},
    # Syntax of other search engines and of SQL has no meaning.
    "": {BIN, PARKING, WARM, CAFE},
    "  ": {BIN, PARKING, WARM, CAFE},
    "***": set(),
    '"': set(),
    "missed AND": {BIN},  # of "waste and recycling"
    "missed OR parking": set(),
    "NEAR(missed bin)": set(),
    "document:missed": set(),
    "missed & bin": {BIN},
    "(missed)": {BIN},
    "missed:*": {BIN},
    "'missed'": {BIN},
    "missed'; DROP TABLE project; --": set(),
    "_v_private": set(),
    "=missed": {BIN},
    "~collect": {BIN},
}


@pytest.mark.parametrize("query", list(CASES))
def test_query_finds_projects(town: TestNode, query: str) -> None:
    assert set(titles(town, q=query)) == CASES[query]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(query=st.text(max_size=60), sort=st.sampled_from(["relevance", "title"]))
@example(query='"' * 300, sort="relevance")
@example(query="-" * 300, sort="relevance")
@example(query="a* " * 100, sort="title")
@example(query="\ud800", sort="title")
@example(query="missed\0bin", sort="title")
@example(query="ŷ\u0302\u0302*", sort="relevance")
def test_any_query_is_harmless(town: TestNode, query: str, sort: str) -> None:
    assert set(titles(town, q=query, sort=sort)) <= {BIN, PARKING, WARM, CAFE}


def test_title_with_all_words_comes_first(town: TestNode) -> None:
    assert titles(town, q="bin")[0] == BIN
    assert titles(town, q="bin", sort="updated")[0] == PARKING
    assert titles(town, sort="title") == sorted([BIN, PARKING, WARM, CAFE], key=str.casefold)
