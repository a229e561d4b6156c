"""What the activities of each type carry stands in one table, and every part asks it."""

import ast
from pathlib import Path

import pytest

from federation.vocabulary import activity_types
from federation.vocabulary.activity_types import ACTIVITY_TYPES
from node.runtime import Handlers, merge_handlers
from node.testing.nodes import Nodes

ROOT = Path(__file__).parents[2]
TABLE = Path(activity_types.__file__)


def collections_of_types(source: str) -> list[int]:
    """The lines of literal sets, lists, tuples and dictionaries with several names of types."""
    lines = []
    for part in ast.walk(ast.parse(source)):
        items = getattr(part, "keys" if isinstance(part, ast.Dict) else "elts", [])
        if items and isinstance(part, ast.Set | ast.List | ast.Tuple | ast.Dict):
            names = [item.value for item in items if isinstance(item, ast.Constant)]
            if sum(name in ACTIVITY_TYPES for name in names) > 1:
                lines.append(part.lineno)
    return lines


def test_nobody_keeps_a_list_of_types_beside_the_table() -> None:
    found = {
        str(path.relative_to(ROOT)): lines
        for folder in ("federation", "node", "plugins")
        for path in (ROOT / folder).rglob("*.py")
        if path != TABLE and (lines := collections_of_types(path.read_text(encoding="utf-8")))
    }
    # The names of tables are the same words.
    assert found.keys() == {"node/federating/models/__init__.py"}


def test_such_a_list_is_seen() -> None:
    source = 'A = {"Create", "Update"}\nB = ["Follow"]\nC = {"Like": 1, "Add": 2}'
    assert collections_of_types(source) == [1, 3]


def test_each_type_on_which_the_node_acts_is_in_the_table(nodes: Nodes) -> None:
    handlers = nodes.start("aldermoor", plugins=()).node.handlers
    assert {kind for kind, _concerned in handlers.by_kind} == ACTIVITY_TYPES.keys()


def test_two_rooms_cannot_handle_the_same() -> None:
    one = Handlers({("Create", "project"): lambda _work, _received: None})
    with pytest.raises(ValueError, match=r"\('Create', 'project'\)"):
        merge_handlers((one, one))
