"""The councils of `moothall demo`, started as on any machine, and common steps of users."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from node.demo.councils import COUNCILS, DEMO_PASSWORD, DemoCouncil
from node.testing.processes import START_SECONDS

PROGRAM = "import sys; from node.cli import main; main(sys.argv[1:])"
# Long enough for slow machines.
ARRIVAL_SECONDS = 30.0
SUMMARY = "Residents see what is planned in their street, and can say what they think of it."
BRIEF = "## Why\n\nNobody reads the notices.\n\n- A list\n- of two things"


_signed_in: dict[tuple["Council", str], list[Any]] = {}


@dataclass(frozen=True)
class Council:
    """A council whose node runs at `host`."""

    demo: DemoCouncil
    host: str

    @property
    def name(self) -> str:
        return self.demo.name

    @property
    def address(self) -> str:
        """The address with which other councils follow it."""
        return f"@{self.demo.slug}@{self.host}"

    def url(self, path: str = "/") -> str:
        return f"http://{self.host}{path}"


@contextmanager
def demonstration(folder: Path, port: int) -> Iterator[tuple[Council, Council]]:
    """The two councils of `moothall demo`, a process each, which follow each other.

    They listen at `port` and the next one.
    """
    with program(folder, "demo", "--port", str(port), "--councils", "2") as wait_for_line:
        wait_for_line("Press Ctrl-C to stop all servers")
        here, there = (Council(demo, f"localhost:{port + demo.index}") for demo in COUNCILS[:2])
        yield here, there


@contextmanager
def program(
    folder: Path, *arguments: str, environment: dict[str, str] | None = None
) -> Iterator[Callable[[str], str]]:
    """Run the command `moothall`. Yields a function that waits for a line with `words`."""
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            cwd=Path(__file__).parents[2],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )

    def wait_for_line(words: str) -> str:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            ended = process.poll() is not None
            for line in log.read_text().splitlines():
                if words in line:
                    return line
            assert not ended, log.read_text()
            time.sleep(0.05)
        raise AssertionError(f"no line with {words!r} in: {log.read_text()}")

    try:
        yield wait_for_line
    finally:
        process.terminate()
        process.wait(30)


def adjacent_ports() -> int:
    """The first of two free ports."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


def sign_in(page: Page, council: Council, role: str) -> None:
    """Sign in with the form the first time, and with its cookies from then on."""
    if (council, role) in _signed_in:
        page.context.add_cookies(_signed_in[council, role])
        return
    page.goto(council.url("/sign-in"))
    page.get_by_label("Email address").fill(council.demo.email(role))
    page.get_by_label("Password", exact=True).fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    _signed_in[council, role] = [*page.context.cookies(council.url())]


def publish(page: Page, council: Council, title: str) -> str:
    """Publish a project through the form; returns its address."""
    page.goto(council.url("/projects"))
    page.get_by_role("button", name="Publish a project").click()
    page.get_by_label("Project name").fill(title)
    page.get_by_label("Summary").fill(SUMMARY)
    page.get_by_role("radio", name="Alpha").check()
    page.get_by_label("Brief").fill(BRIEF)
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("The project has been published")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    return page.url


def until(page: Page, address: str, seen: Callable[[], bool]) -> None:
    """Reload a page until `seen` returns True."""
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while time.monotonic() < deadline:
        page.goto(address)
        if seen():
            return
        page.wait_for_timeout(200)  # leave the node time for its jobs
    raise AssertionError(f"{address} did not show it in time:\n{page.inner_text('main')}")
