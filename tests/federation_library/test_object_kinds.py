"""The kinds of objects: what a project, an update and a comment are told apart by."""

from typing import Any

import pytest

from federation.vocabulary.object_kinds import kind_of

PHASE = {"moothall:phase": "alpha"}
PROJECT = {"moothall:project": "https://aldermoor.test/projects/1"}


@pytest.mark.parametrize(
    "document, kind",
    [
        ({"type": "Article"} | PHASE, "project"),
        ({"type": "Article"}, "comment"),
        ({"type": "Page"} | PHASE, "comment"),
        ({"type": "Note"} | PHASE, "comment"),
        ({"type": "Note"} | PROJECT, "update"),
        ({"type": "Article"} | PROJECT, "comment"),
        ({"type": "Note"}, "comment"),
        ({"type": "Group"} | PHASE, "actor"),
        ({"type": "Ticket"}, "Ticket"),
        ({"type": "comment"}, ""),
        ({}, ""),
    ],
)
def test_kind_of(document: dict[str, Any], kind: str) -> None:
    assert kind_of(document) == kind
