"""One table of what is asked and what is found, which both engines answer alike."""

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
    # Both of the words.
    "bin permit": {PARKING},
    "bin giraffe": set(),
    # One after the other, as they are written.
    '"missed bin"': {BIN},
    '"bin missed"': set(),
    '"bins were missed"': {BIN},
    '"reports a missed"': set(),
    "“missed bin”": {BIN},
    '"missed bin': {BIN},
    # A phrase does not reach from one text into the next.
    '"bin residents"': set(),
    '"bin report"': set(),
    # Without.
    "bins -parking": {BIN},
    "bins -permits": {BIN},
    'bins -"another matter"': {BIN},
    "-bins": {WARM, CAFE},
    "bins -bins": set(),
    # The beginning of a word.
    "park*": {PARKING},
    "collec*": {BIN},
    "cyn*": {WARM},
    "b*": set(),
    # Signs in words.
    "e-mail": {BIN},
    "email": set(),
    "council's": {BIN, PARKING, WARM, CAFE},
    "its": {BIN},
    "it's": {BIN},
    # Accents, in what is written and in what is asked; Welsh, in any letters.
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
    # What is said of it in its other language.
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
    # What means nothing, and what means something elsewhere.
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


@pytest.mark.parametrize("asked", list(CASES))
def test_both_engines_find_the_same(town: TestNode, asked: str) -> None:
    assert set(titles(town, q=asked)) == CASES[asked]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(asked=st.text(max_size=60), sort=st.sampled_from(["relevance", "title"]))
@example(asked='"' * 300, sort="relevance")
@example(asked="-" * 300, sort="relevance")
@example(asked="a* " * 100, sort="title")
@example(asked="\ud800", sort="title")
@example(asked="missed\0bin", sort="title")
@example(asked="ŷ\u0302\u0302*", sort="relevance")
def test_whatever_is_asked_is_harmless(town: TestNode, asked: str, sort: str) -> None:
    seen = set(titles(town, q=asked, sort=sort))
    assert seen <= {BIN, PARKING, WARM, CAFE}


def test_a_title_with_all_of_the_words_comes_first(town: TestNode) -> None:
    assert titles(town, q="bin")[0] == BIN
    assert titles(town, q="bin", sort="updated")[0] == PARKING
    assert titles(town, sort="title") == sorted([BIN, PARKING, WARM, CAFE], key=str.casefold)
