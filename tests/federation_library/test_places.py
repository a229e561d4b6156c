"""Where an actor is: read from any server, and written for all."""

from typing import Any

import pytest

from federation.vocabulary.places import Place


def place(latitude: Any = 54.5, longitude: Any = -3.25) -> dict[str, Any]:
    return {"type": "Place", "name": "Cumbria", "latitude": latitude, "longitude": longitude}


def test_a_place_comes_back_as_it_was() -> None:
    assert Place("Cumbria", 54.5, -3.25).dump() == place()
    assert Place.parse(place()) == Place("Cumbria", 54.5, -3.25)
    assert Place("Cumbria").dump() == {"type": "Place", "name": "Cumbria"}
    assert Place.parse({"type": "Place"}) == Place()


@pytest.mark.parametrize(
    "latitude, longitude", [(90, 180), (-90, -180), (0, 0), (89.999, 0), (12, -179.5)]
)
def test_the_whole_earth_has_places(latitude: float, longitude: float) -> None:
    found = Place.parse(place(latitude, longitude))
    assert found == Place("Cumbria", latitude, longitude)
    assert isinstance(found.latitude, float)


@pytest.mark.parametrize(
    "latitude, longitude",
    [
        (90.01, 0),
        (-90.01, 0),
        (0, 180.01),
        (0, -180.01),
        (True, 0),
        (0, False),
        ("1", 0),
        (0, None),
    ],
)
def test_half_a_position_is_none(latitude: Any, longitude: Any) -> None:
    assert Place.parse(place(latitude, longitude)) == Place("Cumbria")
    assert Place.parse(place(float("nan"), 0)) == Place("Cumbria")


@pytest.mark.parametrize("value", [None, "Cumbria", [], {"type": "Note", "name": "Cumbria"}, {}])
def test_what_is_no_place(value: Any) -> None:
    assert Place.parse(value) is None
