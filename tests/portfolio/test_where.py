"""The locations of councils: operators enter them, and followers receive them."""

import pytest
from sqlalchemy import select

from federation.vocabulary import ActorDocument, Place
from node.councils.models import Council, Region
from node.testing.nodes import Nodes, TestNode
from tests.federation.test_main_job import follow

PLACE = "/councils/place"


def stored_location(node: TestNode, name: str) -> tuple[Region | None, float | None, float | None]:
    """The location that a node has stored for a council."""
    with node.reading() as session:
        council = session.scalars(select(Council).where(Council.name == name)).one()
        return council.region, council.latitude, council.longitude


def test_a_new_location_reaches_followers(
    nodes: Nodes,
) -> None:
    here, there = nodes.pair()
    follow(nodes, here, there)
    assert stored_location(here, "Brackwell Council") == (None, None, None)
    operator = there.visitor("operator")
    operator.visit(PLACE)
    operator.submit("place", region="wales", latitude="52.41", longitude="\u22124.08")
    assert (
        "The location has been saved. We are sending it to the councils that follow yours."
    ) in operator.text
    nodes.run_until_idle()
    assert stored_location(here, "Brackwell Council") == (Region.wales, 52.41, -4.08)
    operator.visit(PLACE)
    assert operator.form("place").values["region"] == "wales"
    operator.submit("place", region="", latitude="", longitude="")
    nodes.run_until_idle()
    assert stored_location(here, "Brackwell Council") == (None, None, None)


def test_a_new_follower_gets_the_location_at_once(nodes: Nodes) -> None:
    here, there = nodes.pair()
    operator = there.visitor("operator")
    operator.visit(PLACE)
    operator.submit("place", region="scotland", latitude="", longitude="")
    follow(nodes, here, there)
    assert stored_location(here, "Brackwell Council") == (Region.scotland, None, None)


@pytest.mark.parametrize(
    "typed, message",
    [
        ({"latitude": "50.7", "longitude": ""}, "Enter both latitude and longitude"),
        ({"latitude": "", "longitude": "-3"}, "Enter both latitude and longitude"),
        (
            {"latitude": "5070", "longitude": "-3"},
            "Latitude must be within the United Kingdom, such as 50.72",
        ),
        (
            {"latitude": "nan", "longitude": "-3"},
            "Latitude must be within the United Kingdom, such as 50.72",
        ),
        (
            {"latitude": "50", "longitude": "3"},
            "Longitude must be within the United Kingdom, such as -3.53",
        ),
        ({"region": "atlantis"}, "Select a region or country"),
    ],
)
@pytest.mark.parametrize("lasting_nodes", ["sqlite"], indirect=True)
def test_an_invalid_location_is_refused_and_input_is_kept(
    typed: dict[str, str], message: str, lasting_nodes: Nodes
) -> None:
    node = lasting_nodes.started[0] if lasting_nodes.started else lasting_nodes.start("aldermoor")
    operator = node.visitor("operator")
    operator.visit(PLACE)
    answer = operator.submit("place", **typed)
    assert answer.status_code == 400
    assert message in answer.text
    if "region" not in typed:
        shown = operator.form("place").values
        assert (shown["latitude"], shown["longitude"]) == (typed["latitude"], typed["longitude"])
    assert stored_location(node, "Aldermoor Council") == (None, None, None)
    assert node.visitor("officer").visit(PLACE).status_code == 403


COUNCIL = {
    "id": "https://a.test/councils/a",
    "type": "Organization",
    "inbox": "https://a.test/councils/a/inbox",
}


@pytest.mark.parametrize(
    "location, read",
    [
        ({"type": "Place", "name": "Wales"}, Place("Wales")),
        (
            {"type": "Place", "latitude": 52, "longitude": -4.08},
            Place(None, 52.0, -4.08),
        ),
        ({"type": "Place", "latitude": 91, "longitude": 0}, Place()),
        ({"type": "Place", "latitude": True, "longitude": 0}, Place()),
        ({"type": "Place", "latitude": "52", "longitude": 0}, Place()),
        ({"type": "Place", "latitude": float("nan"), "longitude": 0}, Place()),
        ({"type": "Place", "latitude": 10**400, "longitude": 0}, Place()),
        ({"type": "Note"}, None),
        ("Wales", None),
        (["x"], None),
    ],
)
def test_a_place_in_a_document(location: object, read: Place | None) -> None:
    assert ActorDocument.parse(COUNCIL | {"location": location}).location == read
