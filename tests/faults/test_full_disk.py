"""The disk of a node is full, really: a small one is mounted where only this test sees it."""

import subprocess
import sys
from pathlib import Path

from tests.faults.councils import NAMES

# In a namespace in which anybody may mount; `$0` is where, `$@` is what to run then.
MOUNT = 'mount -t tmpfs -o size=64m none "$0" && exec "$@"'
WITH_SMALL_DISK = ("unshare", "--map-root-user", "--mount", "sh", "-c", MOUNT)


def test_must_37_a_full_disk_is_answered_with_503_and_loses_nothing(tmp_path: Path) -> None:
    """To people and to another server; what was acknowledged is there, and what was not is not."""
    small = tmp_path / NAMES[1]
    small.mkdir()
    mounting = [*WITH_SMALL_DISK, str(small)]
    may_mount = subprocess.run([*mounting, "true"], capture_output=True, check=False)
    command = [sys.executable, "-m", "tests.faults.full_disk", str(tmp_path)]
    if may_mount.returncode == 0:
        command = [*mounting, *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
