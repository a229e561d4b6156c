"""The main job from end to end, across two nodes, with the time that each step took."""

import time
from collections.abc import Callable
from typing import TypeVar

import click

from node.councils import service as councils
from node.demo.nodes import DEMO_ACTOR, DemoError, RunningNode, federation, follow
from node.outbound import OutboundError
from node.projects import service as projects
from node.projects.models import Project
from node.projects.validation import ProjectInput

TITLE = "Report a missed bin in one step"
NEW_TITLE = "Report a missed bin in one step, from any phone"
MAX_WAIT_SECONDS = 20.0
Result = TypeVar("Result")


def run_once(port: int) -> None:
    """publish -> follow -> arrives -> update -> arrives -> delete -> gone.

    Raises `DemoError` at the step that failed.
    """
    started = time.monotonic()
    with federation(port) as running:
        here, there = running
        _print_timing("both nodes answer", started)
        text = ProjectInput(
            TITLE,
            "Residents tell us of a missed bin without an account.",
            "alpha",
            "## Why\n\nCalls.",
        )
        token = _step("publish", lambda: _publish(here, text))
        _step("follow", lambda: follow(there, here))
        _step("arrives", lambda: _wait_for_page(there, TITLE, shown=True))
        changed = ProjectInput(NEW_TITLE, text.summary, "beta", text.brief)
        _step("update", lambda: _change(here, token, changed))
        _step("arrives", lambda: _wait_for_page(there, NEW_TITLE, shown=True))
        _step("delete", lambda: _delete(here, token))
        _step("gone", lambda: _wait_for_page(there, NEW_TITLE, shown=False))


def _step(name: str, act: Callable[[], Result]) -> Result:
    started = time.monotonic()
    try:
        result = act()
    except Exception as error:
        raise DemoError(f"{name} failed: {error}") from error
    _print_timing(name, started)
    return result


def _print_timing(name: str, started: float) -> None:
    click.echo(f"{name:<20} {time.monotonic() - started:6.2f} s")


def _publish(one: RunningNode, text: ProjectInput) -> str:
    with one.node.work(by=DEMO_ACTOR) as work:
        project = projects.create(work, councils.require_own(work.session), text)
        projects.publish(work, project)
        return project.token


def _change(one: RunningNode, token: str, text: ProjectInput) -> None:
    with one.node.work(by=DEMO_ACTOR) as work:
        project: Project = projects.get_for_update(work.session, token)
        projects.update(work, project, text, project.version)


def _delete(one: RunningNode, token: str) -> None:
    with one.node.work(by=DEMO_ACTOR) as work:
        projects.delete(work, projects.get_for_update(work.session, token))


def _wait_for_page(one: RunningNode, title: str, *, shown: bool) -> None:
    """Ask for the list of projects, as a reader would, until the title is there or is gone."""
    address = f"{one.settings.base_url}/projects?origin=others"
    deadline = time.monotonic() + MAX_WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            answer = one.node.outbound.get(
                address, accept="text/html", content_types=("text/html",)
            )
        except OutboundError as error:
            raise DemoError(f"{one.council.name} does not answer: {error.safe_text}") from error
        if (f">{title}<" in answer.body.decode()) is shown:
            return
        time.sleep(0.05)
    state = "lacks" if shown else "shows"
    raise DemoError(f"after {MAX_WAIT_SECONDS:.0f} seconds {one.council.name} still {state} it")
