"""Checks the main use end to end: a project is published, followed, changed and deleted across two
nodes. Prints the time of each step.
"""

import time
from collections.abc import Callable
from typing import TypeVar

import click

from node.councils import service as councils
from node.demo.nodes import DEMONSTRATION, DemoError, RunningNode, follow, running_federation
from node.outbound import OutboundError
from node.projects import service as projects
from node.projects.models import Project
from node.projects.validation import ProjectInput

TITLE = "Report a missed bin in one step"
NEW_TITLE = "Report a missed bin in one step, from any phone"
MAX_WAIT_SECONDS = 20.0
Result = TypeVar("Result")


def run_once(port: int) -> None:
    """Run all steps once: publish, follow, arrives, update, arrives, delete, gone.

    Raises `DemoError` at the first step that fails.
    """
    started = time.monotonic()
    with running_federation(port) as running:
        publisher, follower = running
        _print_timing("both servers respond", started)
        text = ProjectInput(
            TITLE,
            "Residents tell us of a missed bin without an account.",
            "alpha",
            "## Why\n\nCalls.",
        )
        token = _run_step("publish", lambda: _publish_project(publisher, text))
        _run_step("follow", lambda: follow(follower, publisher))
        _run_step("arrives", lambda: _wait_for_page(follower, TITLE, shown=True))
        changed = ProjectInput(NEW_TITLE, text.summary, "beta", text.brief)
        _run_step("update", lambda: _change_project(publisher, token, changed))
        _run_step("arrives", lambda: _wait_for_page(follower, NEW_TITLE, shown=True))
        _run_step("delete", lambda: _delete_project(publisher, token))
        _run_step("gone", lambda: _wait_for_page(follower, NEW_TITLE, shown=False))


def _run_step(name: str, action: Callable[[], Result]) -> Result:
    started = time.monotonic()
    try:
        result = action()
    except Exception as error:
        raise DemoError(f"{name} failed: {error}") from error
    _print_timing(name, started)
    return result


def _print_timing(name: str, started: float) -> None:
    click.echo(f"{name:<20} {time.monotonic() - started:6.2f} s")


def _publish_project(running: RunningNode, text: ProjectInput) -> str:
    with running.node.work(by=DEMONSTRATION) as work:
        project = projects.create(work, councils.require_own(work.session), text)
        projects.publish(work, project)
        return project.token


def _change_project(running: RunningNode, token: str, text: ProjectInput) -> None:
    with running.node.work(by=DEMONSTRATION) as work:
        project: Project = projects.get_for_update(work.session, token)
        projects.update(work, project, text, project.version)


def _delete_project(running: RunningNode, token: str) -> None:
    with running.node.work(by=DEMONSTRATION) as work:
        projects.delete(work, projects.get_for_update(work.session, token))


def _wait_for_page(running: RunningNode, title: str, *, shown: bool) -> None:
    """Poll the public list of projects until the title is `shown` or not. Raises `DemoError`."""
    address = f"{running.settings.base_url}/projects?origin=others"
    deadline = time.monotonic() + MAX_WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            response = running.node.outbound.get(
                address, accept="text/html", content_types=("text/html",)
            )
        except OutboundError as error:
            raise DemoError(f"{running.council.name} does not answer: {error.safe_text}") from error
        if (f">{title}<" in response.body.decode()) is shown:
            return
        time.sleep(0.05)
    state = "lacks" if shown else "shows"
    raise DemoError(f"after {MAX_WAIT_SECONDS:.0f} seconds {running.council.name} still {state} it")
