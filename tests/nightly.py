"""What takes too long for each change: `./dev nightly` runs it and all other tests, then mutants
and chaos.

Its tests have the mark `nightly`, and `./dev test` leaves them out; `./dev test -m nightly FILE`
runs those of one file. Each has its row in the table of README.md, with what is tried instead for
each change. What guards against strangers or the loss of data is never left out as a whole.
"""

import subprocess
import sys

# Here a database is only what the node stands on, as it is in a thousand other tests on PostgreSQL.
# For each change it is SQLite alone.
ON_POSTGRESQL = (
    "tests/cli/test_importing.py",
    "tests/cli/test_importing_inputs.py",
    "tests/cli/test_keys.py",
    "tests/federation/test_backfill.py",
    "tests/federation/test_conversations.py",
    "tests/federation/test_convergence.py",
    "tests/federation/test_convergence_hostile.py",
    "tests/pages/test_first_run.py",
    "tests/pages/test_parts.py",
    "tests/pages/test_writing.py",
    "tests/plugins/test_federating.py",
    "tests/refusals/test_fuzz_inbox.py",
    "tests/refusals/test_refusals.py",
    "tests/visibility/test_asking.py",
    "tests/visibility/test_changing.py",
    "tests/web/test_addresses.py",
    "tests/web/test_languages.py",
)


def main(arguments: list[str]) -> None:
    # An empty -m takes the place of the one in setup.cfg.
    steps = (["pytest", *arguments, "-m", ""], ["tests.mutation"], ["tests.faults.chaos"])
    failed = [step[0] for step in steps if not succeeds(step)]
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}.")


def succeeds(step: list[str]) -> bool:
    return subprocess.run([sys.executable, "-m", *step], check=False).returncode == 0


if __name__ == "__main__":
    main(sys.argv[1:])
