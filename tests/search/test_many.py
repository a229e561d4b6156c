"""More than can be turned to: the first pages are the right ones, however they are come by."""

import pytest

from node.federating.readers import ANYBODY
from node.search import picking, service
from node.search.picking import Picking
from node.search.wanted import Wanted
from node.testing.nodes import Nodes, TestNode
from tests.search.writing import publish

MOST = 6
NAMES = ("Ash", "Birch", "Cedar", "Damson", "Elm", "Fir", "Gorse", "Hazel", "Ivy", "Juniper")
# All have bins, every third has a rota beside them, and one in five is private.
TITLES = [
    f"{NAMES[number * 7 % 10]} bins{' and a rota' * (number % 3 == 0)}" for number in range(20)
]
PUBLIC = [title for number, title in enumerate(TITLES) if number % 5]
ROTA = [title for title in PUBLIC if "rota" in title]


@pytest.fixture
def here(nodes: Nodes) -> TestNode:
    node = nodes.start("aldermoor")
    for number, title in enumerate(TITLES):
        publish(node, title, visibility="public" if number % 5 else "private")
    return node


def test_the_first_of_many(here: TestNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST", MOST)
    monkeypatch.setattr(service, "PAGE", 4)
    cases = (
        (Wanted(q="bins"), PUBLIC[::-1]),
        (Wanted(q="bins", sort="title"), sorted(PUBLIC)),
        (Wanted(q="rota"), ROTA[::-1]),
        (Wanted(q="rota", sort="title"), sorted(ROTA)),
        (Wanted(q='"a rota"'), ROTA[::-1]),
        (Wanted(q="rot*"), ROTA[::-1]),
        (Wanted(q="bins -rota", sort="title"), sorted(set(PUBLIC) - set(ROTA))),
        (Wanted(sort="title"), sorted(PUBLIC)),
    )
    for common, goes_through in ((0, False), (1_000, True)):
        # Whatever the database holds to be common.
        monkeypatch.setattr(picking, "COMMON", common)
        monkeypatch.setattr(Picking, "is_gone_through", lambda *_asked, so=goes_through: so)
        for wanted, expected in cases:
            with here.reading() as session:
                pages = [service.find(session, wanted, ANYBODY, number) for number in (1, 2)]
            found = [project.title for page in pages for project in page.projects]
            assert found == expected[:MOST], (wanted, goes_through)
            assert pages[0].total == min(len(expected), MOST + 1)
