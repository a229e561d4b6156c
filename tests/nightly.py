"""What takes too long for each change: `./dev nightly` runs it, and all other tests, then chaos.

Its tests bear the mark `nightly`, and `./dev test` leaves them out; `./dev test -m nightly FILE`
runs those of one file. Each has its row in the table of README.md, with what is tried instead for
each change. What guards against strangers or the loss of data is never left out as a whole.
"""

import subprocess
import sys


def main(arguments: list[str]) -> None:
    # An empty -m takes the place of the one in setup.cfg.
    steps = (["pytest", *arguments, "-m", ""], ["tests.faults.chaos"])
    failed = [step[0] for step in steps if not succeeds(step)]
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}.")


def succeeds(step: list[str]) -> bool:
    return subprocess.run([sys.executable, "-m", *step], check=False).returncode == 0


if __name__ == "__main__":
    main(sys.argv[1:])
