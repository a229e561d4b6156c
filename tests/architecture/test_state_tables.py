"""The tables of states say how rows may move, and the code knows no other states."""

import ast
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from node.drafts.models import DraftReview
from node.federating.models import (
    ActorDeletion,
    Backfill,
    Comparison,
    Delivery,
    Follow,
    InboxItem,
    PeerList,
)
from node.federating.peers import service as peers
from node.handover.models import HandOver
from node.mail.models import Mail
from node.notification_events.models import NotificationEvent
from node.projects.adoptions import STATE_TRANSITIONS as ADOPTION
from node.projects.adoptions import AdoptionState
from node.projects.details import Freshness
from node.projects.models import FRESHNESS_TRANSITIONS, STATE_TRANSITIONS, ProjectState
from node.webhooks.models import WebhookMessage

NODE = Path(__file__).parents[2] / "node"
ROWS = (
    WebhookMessage,
    Delivery,
    Follow,
    InboxItem,
    Backfill,
    Comparison,
    ActorDeletion,
    PeerList,
    Mail,
    NotificationEvent,
    HandOver,
    DraftReview,
)
# The state in which a row begins, and which states may follow which.
TABLES: dict[str, tuple[str, Mapping[Any, Collection[str]]]] = {
    "Adoption": (AdoptionState.held, ADOPTION),
    "Project": (ProjectState.draft, STATE_TRANSITIONS),
    "Freshness": (Freshness.unsaid, FRESHNESS_TRANSITIONS),
}
TABLES |= {row.__name__: (row.__table__.c["state"].default.arg, row.STATES) for row in ROWS}


@pytest.mark.parametrize("name", TABLES)
def test_every_state_can_be_reached_from_the_first(name: str) -> None:
    first, table = TABLES[name]
    reached, fresh = set(), {first}
    while fresh:
        reached |= fresh
        fresh = {state for one in fresh for state in table[one]} - reached
    assert reached == set(table)


@pytest.mark.parametrize("name", TABLES)
def test_no_state_leads_to_itself(name: str) -> None:
    table = TABLES[name][1]
    assert {state for state, onward in table.items() if state in onward} == set()


def test_every_state_of_a_project_is_in_its_table() -> None:
    assert set(STATE_TRANSITIONS) == set(ProjectState)


def test_the_code_knows_no_other_states() -> None:
    known = {state for _, table in TABLES.values() for state in table}
    known |= {peers.ALLOWED, peers.BLOCKED, peers.UNKNOWN}
    named = {
        (str(path.relative_to(NODE)), word)
        for path in NODE.rglob("*.py")
        for word in state_words(ast.parse(path.read_text()))
    }
    assert len(named) > 10
    assert {found for found in named if found[1] not in known} == set()


def state_words(tree: ast.AST) -> Iterator[str]:
    """The words that `….state` is compared with or set to, and those given as `state=…`."""
    for item in ast.walk(tree):
        match item:
            case ast.Compare(left=ast.Attribute(attr="state"), comparators=beside):
                yield from words(*beside)
            case ast.Assign(targets=[ast.Attribute(attr="state")], value=value):
                yield from words(value)
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                for target, value in zip(targets, values, strict=True):
                    if isinstance(target, ast.Attribute) and target.attr == "state":
                        yield from words(value)
            case ast.keyword(arg="state", value=value):
                yield from words(value)


def words(*values: Any) -> Iterator[str]:
    for value in values:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value


def test_a_strange_state_is_seen() -> None:
    code = 'row.state, row.at = "asleep", now()\nselect(Row.state == "awake")\nRow(state="away")'
    assert sorted(state_words(ast.parse(code))) == ["asleep", "awake", "away"]
