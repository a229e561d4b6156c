"""More results than are shown: the first pages are right, with and without the index."""

import pytest

from node.access.viewer import ANONYMOUS
from node.search import entry_selection, service
from node.search.entry_selection import EntrySelector
from node.search.search_params import SearchParams
from node.testing.nodes import Nodes, TestNode
from tests.search.writing import publish

MAX_RESULTS = 6
NAMES = ("Ash", "Birch", "Cedar", "Damson", "Elm", "Fir", "Gorse", "Hazel", "Ivy", "Juniper")
# All have bins, every third has a rota as well, and one in five is private.
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


def test_first_pages_of_many_results(here: TestNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_RESULTS", MAX_RESULTS)
    monkeypatch.setattr(service, "PAGE_SIZE", 4)
    cases = (
        (SearchParams(q="bins"), PUBLIC[::-1]),
        (SearchParams(q="bins", sort="title"), sorted(PUBLIC)),
        (SearchParams(q="rota"), ROTA[::-1]),
        (SearchParams(q="rota", sort="title"), sorted(ROTA)),
        (SearchParams(q='"a rota"'), ROTA[::-1]),
        (SearchParams(q="rot*"), ROTA[::-1]),
        (SearchParams(q="bins -rota", sort="title"), sorted(set(PUBLIC) - set(ROTA))),
        (SearchParams(sort="title"), sorted(PUBLIC)),
    )
    for common_ratio, prefers_scan in ((0, False), (1_000, True)):
        # With and without words that are common enough for a scan.
        monkeypatch.setattr(entry_selection, "COMMON_RATIO", common_ratio)
        monkeypatch.setattr(EntrySelector, "prefers_scan", lambda *_args, scan=prefers_scan: scan)
        for params, expected in cases:
            with here.reading() as session:
                pages = [
                    service.find_projects(session, params, ANONYMOUS, number) for number in (1, 2)
                ]
            titles = [project.title for page in pages for project in page.rows]
            assert titles == expected[:MAX_RESULTS], (params, prefers_scan)
            assert pages[0].total == min(len(expected), MAX_RESULTS + 1)
