"""The tutorial for authors of plugins, from its first line to its last, in an environment of its
own: a package that is built and installed there, and a node that runs.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from node.settings import ENVIRONMENT_PREFIX
from node.testing.requirements import end_as_not_run

PAGE = Path(__file__).parents[2] / "docs" / "plugins" / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STOP = "kill $SERVED; wait $SERVED || true\n"
AT_END = re.compile(r"# (\S+), at its end\n")
SERVE = """moothall serve &
SERVED=$!
trap 'kill $SERVED 2>/dev/null || true' EXIT
for _ in $(seq 300); do (: < /dev/tcp/localhost/{port}) 2> /dev/null && break; sleep 0.2; done
"""

# A bare machine has no curl, with which the page asks for an address.
CURL = """#!/bin/sh
exec python -c 'import sys, urllib.request as r
sys.stdout.buffer.write(r.urlopen(sys.argv[-1]).read())' "$@"
"""


def blocks(page: str) -> list[tuple[str, str]]:
    return BLOCK.findall(page)


def script(page: str, port: int) -> str:
    """The commands of the page in their order; code goes where it says that it is to be put."""
    lines = ["set -eu"]
    for language, text in blocks(page):
        if language == "python":
            place = AT_END.match(text)
            assert place, f"say where this is to be put: {text}"
            lines.append(f"cat >> {place[1]} <<'END'\n\n\n{text.removeprefix(place[0])}END")
        elif language == "sh":
            if "moothall plugin purge" in text:
                lines.append(STOP)
            lines.append(SERVE.format(port=port) if text == "moothall serve\n" else text)
        else:
            assert language == "text", language
    return "\n".join(lines)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A new virtual environment that sees Moothall, what Moothall needs, and nothing else."""
    if shutil.which("bash") is None:
        end_as_not_run("there is no bash on this machine")
    folder = tmp_path / "clean"
    made = subprocess.run(
        [sys.executable, "-m", "venv", folder], check=False, capture_output=True, text=True
    )
    if made.returncode:
        end_as_not_run(f"venv makes no environment here: {made.stdout[-200:]}")
    ours = sysconfig.get_path("purelib")
    theirs = sysconfig.get_path("purelib", vars={"base": str(folder)})
    for old in ("setuptools", "pkg_resources", "_distutils_hack"):  # older Pythons bring an old one
        shutil.rmtree(Path(theirs) / old, ignore_errors=True)
    (Path(theirs) / "distutils-precedence.pth").unlink(missing_ok=True)
    for described in Path(theirs).glob("setuptools-*"):
        shutil.rmtree(described)
    (Path(theirs) / "moothall.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    curl = folder / "bin" / "curl"
    curl.write_text(CURL)
    curl.chmod(0o755)
    outside = {
        name: value for name, value in os.environ.items() if not name.startswith(ENVIRONMENT_PREFIX)
    }
    path = f"{folder}/bin:{os.environ.get('PATH', os.defpath)}"
    # What is fetched elsewhere is here already.
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    checkout = {"MOOTHALL": str(PAGE.parents[2])}
    return outside | offline | checkout | {"PATH": path, "VIRTUAL_ENV": str(folder)}


def test_the_tutorial_from_its_first_line_to_its_last(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    page = PAGE.read_text().replace("5177", str(port))
    folder = tmp_path / "work"
    folder.mkdir()
    done = subprocess.run(
        ["bash", "-c", script(page, port)],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    output = done.stdout
    for line in "".join(text for language, text in blocks(page) if language == "text").splitlines():
        assert line in output, f"no line {line!r} in the rest of the output: {output[:2000]}"
        output = output.partition(line)[2]
