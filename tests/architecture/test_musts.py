"""FEDERATION.md says which tests prove each must: all of them, and each test is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MUSTS = range(1, 46)
ROW = re.compile(r"^\| (\d+) \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
TEST = re.compile(r"`([^`:]+)::(\w+)`")
# `test_must_7_…`, `test_must_1_3_and_4_…`, `test_musts_11_to_13_…`
NUMBERS = re.compile(r"test_musts?_((?:\d+_(?:and_|to_)?)+)")


def listed() -> dict[int, list[tuple[str, str]]]:
    """The tests of each must: file and name."""
    table = (ROOT / "FEDERATION.md").read_text().partition("## Musts and their tests")[2]
    table = table.partition("\n## ")[0]
    return {int(number): TEST.findall(cells) for number, cells in ROW.findall(table)}


def numbers(name: str) -> set[int]:
    """The musts that a test says it is about."""
    found = NUMBERS.match(name)
    named = [int(number) for number in re.findall(r"\d+", found[1])] if found else []
    return set(range(named[0], named[1] + 1)) if found and "to_" in found[1] else set(named)


def test_every_must_has_a_row() -> None:
    assert list(listed()) == list(MUSTS)


@pytest.mark.parametrize("must", MUSTS)
def test_every_must_has_tests_that_are_there_and_say_so(must: int) -> None:
    tests = listed()[must]
    assert tests
    for file, name in tests:
        tree = ast.parse((ROOT / file).read_text())
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, file
        assert must in numbers(name), name
