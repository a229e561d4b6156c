"""Filters: each facet, dates, and several at once; and who finds what."""

from datetime import timedelta
from typing import Any

import pytest

from node.access.viewer import ANONYMOUS, LOCAL_USER, Viewer
from node.database.tables import now
from node.search import service
from node.testing.nodes import TestNode
from tests.search.writing import titles

BIN = "Report a missed bin"
PARKING = "Parking permits online"
WARM = "Tŷ cynnes i bawb"
CAFE = "Café licences"
PUBLIC = {BIN, PARKING, WARM, CAFE}
TODAY = now().date()

Params = dict[str, Any]

CASES: list[tuple[Params, set[str]]] = [
    ({"phase": "beta"}, {BIN}),
    ({"phase": ["beta", "discovery"]}, {BIN, PARKING}),
    ({"phase": "nonsense"}, PUBLIC),
    ({"origin": "ours"}, PUBLIC),
    ({"origin": "others"}, set()),
    ({"council": "1"}, PUBLIC),
    ({"council": "99"}, set()),
    ({"capability": "report"}, {BIN}),
    ({"area": "waste-and-recycling"}, {BIN}),
    ({"lgsl": "524"}, {BIN}),
    ({"lgsl": "524: Refuse collection"}, {BIN}),
    ({"lgsl": "52"}, set()),
    ({"tag": "waste"}, {BIN}),
    ({"tag": "WASTE"}, {BIN}),
    ({"tag": "c++"}, {BIN}),
    ({"tag": "c#"}, set()),
    ({"skill": "user research"}, {BIN}),
    ({"skill": "research"}, set()),
    ({"technology": "django"}, {BIN}),
    ({"budget": "0-50k"}, {BIN}),
    ({"budget": ["0-50k", "50k-100k"]}, {BIN, PARKING}),
    ({"collaboration": "share-ideas"}, {BIN, PARKING}),
    ({"collaboration": "share-effort"}, {BIN}),
    ({"collaboration": "share-funding"}, set()),
    ({"starts_from": "2026-01-15"}, {BIN, PARKING}),
    ({"starts_from": "2026-01-16"}, {PARKING}),
    ({"starts_from": "16/1/2026", "starts_to": "1/3/2027"}, {PARKING}),
    ({"starts_from": "16/1/2026", "starts_to": "28/2/2027"}, set()),
    ({"starts_to": "2026-12-31"}, {BIN}),
    ({"ends_from": "2026-11-30", "ends_to": "2026-11-30"}, {BIN}),
    ({"ends_from": "2950-01-01"}, {PARKING}),
    ({"ends_to": "2026-11-29"}, set()),
    ({"contract_to": "2026-12-31"}, {BIN}),
    ({"contract_from": "2027-01-01"}, {PARKING}),
    ({"contract_from": "31/12/2026", "contract_to": "31/12/2026"}, {BIN}),
    ({"contract_from": "1/1/2027", "contract_to": "31/12/2027"}, set()),
    ({"sort": "contract", "contract_from": "2950-01-01"}, {PARKING}),
    ({"updated_from": TODAY.isoformat()}, PUBLIC),
    ({"updated_from": (TODAY + timedelta(days=2)).isoformat()}, set()),
    ({"updated_to": (TODAY - timedelta(days=2)).isoformat()}, set()),
    ({"sort": "ends", "ends_from": "2950-01-01"}, {PARKING}),
    ({"q": "bins", "phase": "beta", "tag": "waste", "budget": "0-50k"}, {BIN}),
    ({"q": "bins", "phase": "beta", "tag": "parking"}, set()),
]


@pytest.mark.parametrize("params,expected", CASES, ids=[str(params) for params, _expected in CASES])
def test_search_is_filtered(town: TestNode, params: Params, expected: set[str]) -> None:
    assert set(titles(town, **params)) == expected


@pytest.mark.parametrize(
    "reader,more",
    [
        (ANONYMOUS, set()),
        (LOCAL_USER, {"Only for ourselves", "For councils we know"}),
        (Viewer(host="brackwell.test"), {"For councils we know"}),
    ],
    ids=["anyone", "own user", "other server"],
)
def test_search_finds_only_visible_projects(town: TestNode, reader: Viewer, more: set[str]) -> None:
    assert set(titles(town, reader)) == PUBLIC | more
    assert set(titles(town, reader, q="bins")) == {BIN, PARKING} | more
    for hidden in ("Only for ourselves", "For councils we know"):
        with town.reading() as session:
            suggested = {project.title for project in service.suggest(session, hidden[:8], reader)}
        assert (hidden in suggested) == (hidden in more)
