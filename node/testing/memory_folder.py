"""Puts the temporary files of tests into memory, if this machine has a folder for that."""

import os
import shutil
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 -- folders made in it have unguessable names
# Tests take some hundred megabytes.
MIN_FREE_BYTES = 2 * 1024**3
# The environment variable with the parent of pytest's temporary folders.
TEMPROOT_VARIABLE = "PYTEST_DEBUG_TEMPROOT"


def find_folder() -> Path | None:
    """A folder in memory with enough space, if there is one."""
    try:
        has_space = shutil.disk_usage(SHARED_MEMORY).free >= MIN_FREE_BYTES
    except OSError:
        return None
    return SHARED_MEMORY if has_space and os.access(SHARED_MEMORY, os.W_OK | os.X_OK) else None


def use_for_temporary_files() -> None:
    """Have pytest make its temporary folders in memory, unless the environment says otherwise."""
    folder = find_folder()
    if folder is not None:
        os.environ.setdefault(TEMPROOT_VARIABLE, str(folder))
