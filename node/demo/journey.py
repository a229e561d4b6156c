"""The main job from end to end, across two nodes, with the time that each step took."""

import time
from collections.abc import Callable
from typing import TypeVar

import click

from node.councils import service as councils
from node.demo.running import BY, DemoError, Running, federation, follow
from node.outbound import OutboundError
from node.projects import service as projects
from node.projects.models import Project
from node.projects.writing import Text

TITLE = "Report a missed bin in one step"
NEW_TITLE = "Report a missed bin in one step, from any phone"
PATIENCE = 20.0
Result = TypeVar("Result")


def once(port: int) -> None:
    """publish -> follow -> arrives -> update -> arrives -> delete -> gone.

    Raises `DemoError` at the step that failed.
    """
    started = time.monotonic()
    with federation(port) as running:
        here, there = running
        _say("both nodes answer", started)
        text = Text(
            TITLE,
            "Residents tell us of a missed bin without an account.",
            "alpha",
            "## Why\n\nCalls.",
        )
        token = _step("publish", lambda: _publish(here, text))
        _step("follow", lambda: follow(there, here))
        _step("arrives", lambda: _await_page(there, TITLE, shown=True))
        changed = Text(NEW_TITLE, text.summary, "beta", text.brief)
        _step("update", lambda: _change(here, token, changed))
        _step("arrives", lambda: _await_page(there, NEW_TITLE, shown=True))
        _step("delete", lambda: _delete(here, token))
        _step("gone", lambda: _await_page(there, NEW_TITLE, shown=False))


def _step(name: str, act: Callable[[], Result]) -> Result:
    started = time.monotonic()
    try:
        result = act()
    except Exception as error:
        raise DemoError(f"{name} failed: {error}") from error
    _say(name, started)
    return result


def _say(name: str, started: float) -> None:
    click.echo(f"{name:<20} {time.monotonic() - started:6.2f} s")


def _publish(one: Running, text: Text) -> str:
    with one.node.work(by=BY) as work:
        project = projects.create(work, councils.require_own(work.session), text)
        projects.publish(work, project)
        return project.token


def _change(one: Running, token: str, text: Text) -> None:
    with one.node.work(by=BY) as work:
        project: Project = projects.for_change(work.session, token)
        projects.update(work, project, text, project.version)


def _delete(one: Running, token: str) -> None:
    with one.node.work(by=BY) as work:
        projects.delete(work, projects.for_change(work.session, token))


def _await_page(one: Running, title: str, *, shown: bool) -> None:
    """Ask for the list of projects, as a reader would, until the title is there or is gone."""
    address = f"{one.settings.base_url}/projects?origin=others"
    deadline = time.monotonic() + PATIENCE
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
    raise DemoError(
        f"after {PATIENCE:.0f} seconds {one.council.name} still {'lacks' if shown else 'shows'} it"
    )
