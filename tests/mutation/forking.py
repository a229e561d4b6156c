"""Runs tests against mutants, each in a fork of this process that has loaded all libraries.

Loading them takes most of the time of a short test run. The product's own modules are loaded in
the fork, from a copy of the checkout: the mutated file is never one that somebody works on.
"""

import importlib
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.mutation.tested_by import Tests

ROOT = Path(__file__).parents[2]
OURS = ("federation", "node", "plugins", "migrations", "bench", "tests")
COPIED = (*OURS, "setup.cfg", "pyproject.toml", "docs", "README.md", "FEDERATION.md", "dev")
PYTEST = (
    "-x", "-q", "--tb=no", "--no-header", "--import-mode=importlib", "-rfE",
    "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not nightly", "-k", "not postgres",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",
)  # fmt: skip
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
# A mutant that never stops may fill the memory too. More than any test needs.
MEMORY = 6 << 30


class Outcome(NamedTuple):
    passed: bool
    in_time: bool
    seconds: float
    failed: str  # the first test that failed
    output: str


@contextmanager
def copied_checkout() -> Iterator[Path]:
    """A copy of this checkout in a temporary folder. Test data beside it is not copied."""
    os.environ.setdefault("MOOTHALL_SHARED_DATA", str(ROOT.parent / "shared" / "data"))
    with TemporaryDirectory(prefix="mutation-") as folder:
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(
                    ROOT / name, Path(folder, name), ignore=shutil.ignore_patterns("node_modules")
                )
            else:
                shutil.copy2(ROOT / name, folder)
        yield Path(folder)


def load_libraries(checkout: Path, for_node: bool) -> None:
    """Import what our code imports, and with `for_node` what the node and its test kit do."""
    ours = "federation.acceptance, " + ("node.testing.plugin" if for_node else "hypothesis")
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, {ours}; print(*sys.modules, sep='\\n')"],
        env=dict(os.environ, PYTHONPATH=str(checkout)),
        cwd=checkout, check=True, text=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    for name in ("pytest", *done.stdout.split()):
        if name.partition(".")[0] not in (*OURS, "__main__"):
            with suppress(ImportError):  # made by another module, not found by name
                importlib.import_module(name)


def run_tests(tests: Tests, checkout: Path, seconds: float) -> Outcome:
    """Run `tests` in `checkout` until one fails, for at most `seconds`."""
    output = checkout / "output.txt"
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            os._exit(_test(tests, checkout, output))
        finally:
            os._exit(os.EX_SOFTWARE)
    status: int | None = None
    try:
        while status is None and time.monotonic() - started < seconds:
            time.sleep(0.02)
            ended, waited = os.waitpid(child, os.WNOHANG)
            status = os.waitstatus_to_exitcode(waited) if ended else None
    finally:  # also when this run is interrupted
        with suppress(ProcessLookupError):  # its processes too, such as nodes
            os.killpg(child, signal.SIGKILL)
        if status is None:
            os.waitpid(child, 0)
    text = output.read_text(errors="replace")
    failed = FAILED.search(text)
    return Outcome(
        passed=status == 0,
        in_time=status is not None,
        seconds=time.monotonic() - started,
        failed=failed.group(1) if failed else "",
        output=text,
    )


def _test(tests: Tests, checkout: Path, output: Path) -> int:
    """Become a process that has only just started in `checkout`, and run pytest in it."""
    os.setsid()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    target = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.chdir(checkout)
    os.environ["PYTHONPATH"] = str(checkout)
    # Two mutations within a second have the same time, and the first one's bytecode would be used.
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = True
    sys.path[:] = [str(checkout), *(path for path in sys.path if path not in ("", str(ROOT)))]
    for name in list(sys.modules):
        if name.partition(".")[0] in OURS:
            del sys.modules[name]
    importlib.invalidate_caches()
    import pytest

    addopts = "" if tests.is_library else "-p node.testing.plugin"
    arguments = [
        *PYTEST, "-o", f"addopts={addopts}", f"--rootdir={checkout}",
        f"--basetemp={checkout / 'temporary'}", *tests.files,
    ]  # fmt: skip
    return int(pytest.main(arguments))
