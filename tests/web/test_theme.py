"""Whatever colour a council has, what stands on it and what is written in it can be read."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.web import theme

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def _rgb(colour: str) -> theme.Rgb:
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def _properties(colour: str) -> dict[str, theme.Rgb]:
    found = re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", theme.build_stylesheet(colour))
    return {name: _rgb(value) for name, value in found}


@given(COLOURS)
def test_white_text_on_the_brand_colour_can_be_read(colour: str) -> None:
    brand = _properties(colour)["govuk-brand-colour"]
    assert theme.contrast_ratio(brand, theme.WHITE) >= 4.5


@given(COLOURS)
def test_links_can_be_read_on_the_page_and_on_a_surface(colour: str) -> None:
    properties = _properties(colour)
    for behind in (theme.WHITE, properties["govuk-surface-background-colour"]):
        assert theme.contrast_ratio(properties["govuk-link-colour"], behind) >= 4.5
        assert theme.contrast_ratio(properties["govuk-link-hover-colour"], behind) >= 4.5


@given(COLOURS)
def test_grey_and_red_words_can_be_read_on_a_surface(colour: str) -> None:
    surface = _properties(colour)["govuk-surface-background-colour"]
    for words in ("#484949", "#ca3535"):
        assert theme.contrast_ratio(_rgb(words), surface) >= 4.5


def test_a_colour_that_can_be_read_is_left_as_it_is() -> None:
    assert _properties("#5B2A6E")["govuk-brand-colour"] == _rgb("#5b2a6e")


@pytest.mark.parametrize("colour", ["", "red", "#fff", "#12345g", "}body{display:none", "#1d5b4f;"])
def test_what_is_not_a_colour_gives_the_default_one(colour: str) -> None:
    assert theme.build_stylesheet(colour) == theme.build_stylesheet(theme.DEFAULT_COLOUR)


@pytest.mark.parametrize(
    "one,other,ratio",
    [("#000000", "#ffffff", 21.0), ("#ffffff", "#ffffff", 1.0), ("#767676", "#ffffff", 4.54)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert theme.contrast_ratio(_rgb(one), _rgb(other)) == pytest.approx(ratio, abs=0.01)
