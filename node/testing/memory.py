"""Where the files of tests are quickest: in memory, where this machine has a place for that."""

import os
import shutil
from pathlib import Path

PLACE = Path("/dev/shm")  # noqa: S108 -- folders made in it have names that nobody guesses
# Tests take some hundred megabytes.
ENOUGH = 2 * 1024**3
# What pytest calls the folder in which it makes those of a run.
ROOT = "PYTEST_DEBUG_TEMPROOT"


def place() -> Path | None:
    """A folder in memory with room enough, if there is one."""
    try:
        roomy = shutil.disk_usage(PLACE).free >= ENOUGH
    except OSError:
        return None
    return PLACE if roomy and os.access(PLACE, os.W_OK | os.X_OK) else None


def use() -> None:
    """Have the temporary folders of this run there, unless somebody said where."""
    found = place()
    if found is not None:
        os.environ.setdefault(ROOT, str(found))
