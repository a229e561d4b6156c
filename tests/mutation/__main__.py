"""Change the code in small ways and see that a test notices: `./dev mutate`.

    ./dev mutate [--sample N] [--seed S] [--minutes M] [PATH…]

Survivors are explained in tests/mutation/survivors.txt, one to a line; those are not run again. A
survivor that is not there makes the run fail: write the test that is missing, or explain it.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from tests.mutation.forking import ROOT, copied_checkout, load_libraries, run_tests
from tests.mutation.mutants import Mutant, draw, package_of
from tests.mutation.tested_by import Tests, find_tests

SURVIVORS = Path(__file__).with_name("survivors.txt")
REASON = "  # "
OUTCOMES = ("killed", "timed out", "explained", "survived")
# A mutant may be slower than the code is, and the machine busier than it was.
SLOWER, MORE = 3, 20


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev mutate", description="Run tests on mutated code.")
    parser.add_argument("--sample", type=int, default=500, help="how many mutants (500)")
    parser.add_argument("--seed", type=int, default=1, help="which mutants (1)")
    parser.add_argument("--minutes", type=float, default=None, help="start none after this long")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="modules or folders to mutate")
    chosen = parser.parse_args()
    mutants = draw(ROOT, chosen.sample, chosen.seed, chosen.paths)
    if not mutants:
        sys.exit("There is nothing to mutate there: see tests/mutation/tested_by.py.")
    found = try_all(mutants, chosen.minutes)
    report(found)
    if any(outcome == "survived" for outcome, _ in found):
        sys.exit("A mutant survived that tests/mutation/survivors.txt does not explain.")


def try_all(mutants: list[Mutant], minutes: float | None) -> list[tuple[str, Mutant]]:
    """The outcome of each mutant, as far as there is time."""
    explained = explanations()
    found: list[tuple[str, Mutant]] = []
    limits: dict[Tests, float] = {}
    ends = time.monotonic() + minutes * 60 if minutes else float("inf")
    with copied_checkout() as checkout:
        stages = (tests for mutant in mutants for tests in find_tests(mutant.module, checkout))
        load_libraries(checkout, for_node=not all(tests.is_library for tests in stages))
        for number, mutant in enumerate(mutants, start=1):
            if time.monotonic() > ends:
                print(f"No time for {len(mutants) - number + 1} more.")
                break
            name = mutant.name(ROOT)
            if name in explained:
                outcome, note = "explained", explained[name]
            else:
                outcome, note = try_one(mutant, checkout, limits)
            found.append((outcome, mutant))
            print(f"{number:4} {outcome:9} {name}\n{'':14} {note}", flush=True)
    return found


def try_one(mutant: Mutant, checkout: Path, limits: dict[Tests, float]) -> tuple[str, str]:
    """Whether the tests notice a mutant, and which one did."""
    spent = 0.0
    for tests in find_tests(mutant.module, checkout):
        seconds = time_limit(tests, checkout, limits)
        file = checkout / mutant.module
        file.write_text(mutant.code(ROOT))
        try:
            outcome = run_tests(tests, checkout, seconds)
        finally:
            file.write_text((ROOT / mutant.module).read_text())
        spent += outcome.seconds
        if not outcome.in_time:
            return "timed out", f"{spent:.0f} s"
        if not outcome.passed:
            return "killed", f"{spent:.0f} s, {outcome.failed}"
    return "survived", f"{spent:.0f} s"


def time_limit(tests: Tests, checkout: Path, limits: dict[Tests, float]) -> float:
    """From how long `tests` take for the code as it is. Exits if they fail for that."""
    if tests not in limits:
        untouched = run_tests(tests, checkout, float("inf"))
        if not untouched.passed:
            sys.exit(f"{untouched.output}\nThese tests fail without a mutation.")
        limits[tests] = SLOWER * untouched.seconds + MORE
    return limits[tests]


def explanations() -> dict[str, str]:
    """Why each explained mutant may survive, by its name."""
    lines = [line for line in SURVIVORS.read_text().splitlines() if not line.startswith("#")]
    parts = [line.rpartition(REASON) for line in lines if line]
    return {name: reason for name, _, reason in parts}


def report(found: list[tuple[str, Mutant]]) -> None:
    counts = Counter((package_of(mutant.module), outcome) for outcome, mutant in found)
    print(f"\n{'package':26}" + "".join(f"{word:>11}" for word in ("mutants", *OUTCOMES)))
    for package in dict.fromkeys(package for package, _ in sorted(counts)):
        row = [counts[package, outcome] for outcome in OUTCOMES]
        print(f"{package:26}" + "".join(f"{number:11}" for number in (sum(row), *row)))


if __name__ == "__main__":
    main()
