"""One council with several projects, for tests that leave nothing behind."""

from datetime import date

import pytest

from node.projects.details import Adopter, Budget, Collaboration, Output
from node.testing.nodes import Nodes, TestNode
from tests.search.writing import publish


@pytest.fixture(scope="module")
def town(lasting_nodes: Nodes) -> TestNode:
    node = lasting_nodes.start("aldermoor")
    publish(
        node,
        "Report a missed bin",
        "Residents say which bins were missed.",
        phase="beta",
        brief="The council’s collections are late. Reporting is slow; it's by e-mail.",
        starts_on=date(2026, 1, 15),
        ends_on=date(2026, 11, 30),
        contract_ends_on=date(2026, 12, 31),
        budget=Budget.to_50k,
        collaboration=Collaboration.share_effort,
        capability="report",
        business_area="waste-and-recycling",
        lgsl=524,
        tags=("Waste", "C++"),
        skills=("User research",),
        technologies=("Django",),
        outputs=(
            Output(
                title="Missed bin form",
                licence="MIT",
                url="https://example.org/form",
                adopters=(Adopter(name="Brackwell Council"), Adopter(name="Tref Council")),
            ),
            Output(title="Service pattern", licence="Open Government Licence v3.0"),
        ),
    )
    publish(
        node,
        "Parking permits online",
        "Buy a permit without a queue; bins are another matter.",
        phase="discovery",
        starts_on=date(2027, 3, 1),
        ends_on=date(2999, 12, 31),
        contract_ends_on=date(2999, 12, 31),
        budget=Budget.to_100k,
        collaboration=Collaboration.share_ideas,
        capability="pay",
        tags=("parking",),
        outputs=(Output(title="Permit data standard", licence="Apache-2.0"),),
    )
    publish(
        node,
        "Tŷ cynnes i bawb",
        "Gwresogi tai cyngor yng Nghymru.",
        language="cy",
        brief="Mae’r tŷ yn oer. Dŵr a ŵyn.",
        tags=("tai",),
        translations={"en": {"title": "Warm homes for all", "summary": "Heating of homes."}},
    )
    publish(node, "Café licences", "Naïve façade: ÆSIR in Łódź, straße & smørrebrød.")
    publish(node, "Only for ourselves", "Secret bins.", visibility="private")
    publish(node, "For councils we know", "Shared bins.", visibility="peers")
    lasting_nodes.run_until_idle()
    return node
