"""Where the files of tests are quickest: in memory, where this machine has a place for that."""

import os
import shutil
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 -- folders made in it have names that nobody guesses
# Tests take some hundred megabytes.
MIN_FREE_BYTES = 2 * 1024**3
# What pytest calls the folder in which it makes those of a run.
TEMPROOT_VARIABLE = "PYTEST_DEBUG_TEMPROOT"


def find_folder() -> Path | None:
    """A folder in memory with room enough, if there is one."""
    try:
        roomy = shutil.disk_usage(SHARED_MEMORY).free >= MIN_FREE_BYTES
    except OSError:
        return None
    return SHARED_MEMORY if roomy and os.access(SHARED_MEMORY, os.W_OK | os.X_OK) else None


def use_for_temporary_files() -> None:
    """Have the temporary folders of this run there, unless somebody said where."""
    found = find_folder()
    if found is not None:
        os.environ.setdefault(TEMPROOT_VARIABLE, str(found))
