"""The mutants are the same each time, and each explanation of a survivor is about today's code."""

import re
from pathlib import Path

import pytest

from tests.mutation.__main__ import REASON, SURVIVORS, explanations
from tests.mutation.mutants import draw, one_each
from tests.mutation.tested_by import PACKAGES, find_tests

ROOT = Path(__file__).parents[2]
SOURCE = """
def cost(base: int | None, times: int) -> int:
    if base is None:
        return 0
    return base * times
"""


def changes(source: str, seed: int = 1) -> list[tuple[str, int]]:
    drawn = sorted(one_each(source, "a.py", seed), key=lambda mutant: mutant.rank)
    return [(mutant.operator, mutant.occurrence) for mutant in drawn]


def test_mutants_depend_on_the_seed_alone() -> None:
    assert changes(SOURCE) == changes(SOURCE)
    assert any(changes(SOURCE, seed) != changes(SOURCE) for seed in range(2, 9))


def test_a_new_line_leaves_the_other_mutants_as_they_are() -> None:
    grown = SOURCE.replace("def cost", "LIMIT = 5\n\n\ndef cost")
    ours = {mutant.rank for mutant in one_each(SOURCE, "a.py", 1)}
    assert ours < {mutant.rank for mutant in one_each(grown, "a.py", 1)}


def test_annotations_and_stars_are_not_mutated() -> None:
    starred = "def show(*parts: str | None, **more: int) -> None:\n    print(*parts, **more)\n"
    assert changes(starred) == []
    assert [name for name, _ in changes("print(2 * 3, 2**3)") if "BinaryOperator" in name]


def test_a_small_sample_is_part_of_a_large_one() -> None:
    folder = "federation/signatures"
    small, large = draw(ROOT, 5, 1, [folder]), draw(ROOT, 20, 1, [folder])
    assert (len(small), len(large)) == (5, 20)
    assert small == large[:5]
    assert {mutant.module.rpartition("/")[0] for mutant in large} == {folder}


@pytest.mark.parametrize("package", PACKAGES)
def test_there_are_tests_for_each_module(package: str) -> None:
    modules = [str(file.relative_to(ROOT)) for file in (ROOT / package).rglob("*.py")]
    assert modules
    for module in modules:
        missing = [
            name
            for tests in find_tests(module, ROOT)
            for name in tests.files
            if not (ROOT / name).is_file()
        ]
        assert missing == []


def test_explanations_are_whole_and_about_lines_that_are_there() -> None:
    lines = [line for line in SURVIVORS.read_text().splitlines() if not line.startswith("#")]
    assert len(explanations()) == len(lines)
    assert [line for line in lines if not line.rpartition(REASON)[0]] == []
    for name in explanations():
        module, _, change = name.partition(" ")
        before = change.partition(": ")[2].partition(" => ")[0]
        source = " ".join((ROOT / module).read_text().split())
        assert re.sub(r"\s+", " ", before) in source, f"{name} is not in the code any more"
