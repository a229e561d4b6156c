"""Draws mutants: the operators are Cosmic Ray's, the sample is ours.

A mutant's place in the sample depends on its own line and the seed alone. So a change of the code
replaces the mutants of the changed lines and no others, and a small sample is part of a large one.
"""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import ndiff
from hashlib import sha256
from pathlib import Path
from typing import Any

from cosmic_ray import plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.ast.ast_query import ASTQuery
from cosmic_ray.mutating import mutate_code

from tests.mutation.tested_by import LEAST, PACKAGES

Position = tuple[int, int]  # line from 1, column from 0

# `is` between members of an enumeration, None and booleans is the same as `==`.
SAME = ("_Is_Eq", "_IsNot_NotEq")
# The operators of Cosmic Ray also change the stars of `*rest`, `**options` and `(a, *, b)`.
STAR = re.compile(r"(?:^|[(\[{,:])\s*(\*+)(?=[\w(\[{,])")
# Lines whose mutants say nothing about the tests: the type checker keeps what they promise, and
# benchmarks measure what a cache gains.
PROMISES = re.compile(r"@(?:dataclass|final|override|cache|lru_cache)\b")


@dataclass(frozen=True)
class Mutant:
    """One change of one module: the n-th place where an operator of Cosmic Ray applies."""

    module: str
    definition: str
    operator: str
    occurrence: int
    rank: str

    def code(self, checkout: Path) -> str:
        """The mutated source text of the module."""
        source = (checkout / self.module).read_text()
        mutated = mutate_code(source, plugins.get_operator(self.operator)(), self.occurrence)
        return str(mutated)

    def name(self, checkout: Path) -> str:
        """Says what is changed, and stays the same as long as the changed line does."""
        source = (checkout / self.module).read_text().splitlines()
        lines = list(ndiff(source, self.code(checkout).splitlines(), charjunk=None))
        before, after = (
            " ".join(line[2:].strip() for line in lines if line.startswith(sign)) for sign in "-+"
        )
        return f"{self.module} {self.definition}: {before} => {after}"


def package_of(module: str) -> str:
    """The package of `PACKAGES` that `module` belongs to."""
    return next(package for package in PACKAGES if module.startswith(package + "/"))


def draw(checkout: Path, size: int, seed: int, paths: Iterable[str] = ()) -> list[Mutant]:
    """`size` mutants of the modules below `paths` (by default all packages), in a fixed order.

    Several mutations of one expression count as one, so that operators with many variants do not
    crowd out the others. Fewer than `size` if the code has no more.
    """
    wanted = [path.rstrip("/") for path in paths] or PACKAGES
    packages: dict[str, list[Mutant]] = defaultdict(list)
    for package in PACKAGES:
        for file in sorted((checkout / package).rglob("*.py")):
            module = str(file.relative_to(checkout))
            if any(module == path or module.startswith(path + "/") for path in wanted):
                packages[package] += one_each(file.read_text(), module, seed)
    total = sum(len(mutants) for mutants in packages.values())
    least = LEAST if size >= LEAST * len(PACKAGES) else 0
    drawn: list[Mutant] = []
    rest: list[Mutant] = []
    for mutants in packages.values():
        mutants.sort(key=lambda mutant: mutant.rank)
        share = min(max(least, size * len(mutants) // total), len(mutants))
        drawn += mutants[:share]
        rest += mutants[share:]
    rest.sort(key=lambda mutant: mutant.rank)
    drawn += rest[: max(size - len(drawn), 0)]
    return sorted(drawn, key=lambda mutant: mutant.rank)


def one_each(source: str, module: str, seed: int) -> list[Mutant]:
    """One mutant for each place in a module that can be mutated."""
    best: dict[tuple[Position, Position], Mutant] = {}
    for (start, end), mutant in mutations(source, module, seed):
        if (start, end) not in best or mutant.rank < best[start, end].rank:
            best[start, end] = mutant
    return list(best.values())


def mutations(
    source: str, module: str, seed: int
) -> Iterator[tuple[tuple[Position, Position], Mutant]]:
    """All mutations of a module's source text, with the places where they begin and end."""
    lines = source.splitlines()
    annotations = list(annotated(source))
    tree = list(ast_nodes(get_ast(source)))
    seen: Counter[str] = Counter()
    for operator_name in sorted(plugins.operator_names()):
        operator_class: Any = plugins.get_operator(operator_name)
        if operator_class.arguments():
            continue  # these need names of variables
        if operator_name.endswith(SAME):
            continue
        operator = operator_class()
        places = ((node, place) for node in tree for place in operator.mutation_positions(node))
        for occurrence, (node, (start, end)) in enumerate(places):
            line = lines[start[0] - 1]
            if (
                PROMISES.search(line)
                or any(star.start(1) == start[1] for star in STAR.finditer(line))
                or any(a <= start and end <= b for a, b in annotations)
            ):
                continue
            definition = ASTQuery(node).get_definition_name() or "module"
            key = f"{module} {definition} {operator_name} {start[1]} {line}"
            seen[key] += 1
            rank = sha256(f"{seed} {key} {seen[key]}".encode()).hexdigest()
            yield (start, end), Mutant(module, definition, operator_name, occurrence, rank)


def annotated(source: str) -> Iterator[tuple[Position, Position]]:
    """Where type annotations begin and end: nothing happens there when the program runs."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.AnnAssign | ast.arg):
            annotation = node.annotation
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            annotation = node.returns
        else:
            continue
        if annotation and annotation.end_lineno and annotation.end_col_offset:
            yield (
                (annotation.lineno, annotation.col_offset),
                (annotation.end_lineno, annotation.end_col_offset),
            )
