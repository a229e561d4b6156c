"""What one idle node holds in memory."""

import re
from collections.abc import Iterator
from pathlib import Path

from bench.nodes import measured_node


def measure() -> Iterator[tuple[str, str]]:
    with measured_node() as (app, _key):
        for path in ("/", "/projects", "/councils", "/sign-in"):
            app.test_client().get(path)
        yield "resident, after the first pages", describe_resident_memory()


def describe_resident_memory(process: int | str = "self") -> str:
    """Of this process, or of another by its number. Linux only."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return f"{int(found[1]) / 1024:10.0f} MB" if found else "unknown"
