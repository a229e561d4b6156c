"""What commands publish, write, change, delete and unfollow reaches the other council."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from node.federating.models import Delivery, Follow
from node.projects import service as projects
from node.projects.details import Details
from node.projects.models import Project
from node.projects.validation import to_input
from node.settings import ENVIRONMENT_PREFIX
from node.testing.nodes import Nodes, TestNode
from tests.cli.conftest import Command
from tests.federation.converging import held, held_updates
from tests.federation.test_main_job import follow

PROJECT = "---\ntitle: {title}\nsummary: S\nphase: beta\n---\n{brief}"


@pytest.fixture
def pair(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> tuple[TestNode, TestNode]:
    """Two councils that follow each other; commands are about the first."""
    here, there = nodes.pair()
    follow(nodes, there, here)
    follow(nodes, here, there)
    for name in ("base_url", "database_url", "secret_key"):
        monkeypatch.setenv(
            ENVIRONMENT_PREFIX + name.upper(), str(getattr(here.node.settings, name))
        )
    return here, there


def deliver(nodes: Nodes, here: TestNode) -> None:
    here.node.invalidate_caches()
    here.node.jobs.wake(Delivery.JOB)
    nodes.run_until_idle()


# Only the commands are new; what they call is tried on both databases elsewhere.
@pytest.mark.parametrize("nodes", ["sqlite"], indirect=True)
def test_a_project_is_looked_after_by_commands(
    nodes: Nodes, pair: tuple[TestNode, TestNode], moothall: Command, tmp_path: Path
) -> None:
    here, there = pair
    file = tmp_path / "project.md"
    file.write_text(PROJECT.format(title="Bins", brief="Of bins."))
    uri = moothall("project", "publish", file).out.strip()
    with here.work() as work:  # what such a file cannot say
        row = work.session.scalars(select(Project).where(Project.uri == uri)).one()
        text = replace(to_input(row), details=Details(tags=("waste",)))
        projects.update(work, row, text, row.version)

    file.write_text(PROJECT.format(title="Bins in one step", brief="All of them."))
    assert moothall("project", "change", uri, file) == (0, f"Changed {uri}\n", "")
    assert moothall("project", "write-update", uri).refusal.startswith(
        "The update could not be saved."
    )
    written = moothall("project", "write-update", uri, "--changed", "It has begun.")
    assert written.out.startswith(f"https://{here.host}/updates/")
    deliver(nodes, here)
    with there.reading() as session:
        copy = session.scalars(select(Project).where(Project.uri == uri)).one()
        assert (copy.title, copy.details.tags) == ("Bins in one step", ("waste",))
    ((_, of, content),) = held_updates(there, here).values()
    assert of == uri
    assert "It has begun." in content

    assert moothall("project", "delete", uri, "--yes") == (0, f"Deleted {uri}\n", "")
    deliver(nodes, here)
    assert held(there, here) == {}
    gone = "This project has been deleted."
    assert moothall("project", "change", uri, file).refusal == gone
    assert moothall("project", "delete", uri, "--yes").refusal == gone
    assert moothall("project", "write-update", uri, "--changed=x").refusal == gone
    assert moothall("project", "delete", f"{uri}x", "--yes").refusal == "Project not found."


@pytest.mark.parametrize("nodes", ["sqlite"], indirect=True)
def test_a_council_is_unfollowed_by_a_command_and_told(
    nodes: Nodes, pair: tuple[TestNode, TestNode], moothall: Command
) -> None:
    here, there = pair
    there.publish("Potholes")
    nodes.run_until_idle()
    assert "Potholes" in moothall("project", "list").out
    theirs = next(iter(held(there, there)))
    refused = moothall("project", "delete", theirs, "--yes").refusal
    assert refused == "Only the council that published this project can change it."

    ended = moothall("peer", "unfollow", there.address)
    assert ended == (0, f"No longer following Brackwell Council ({there.address})\n", "")
    deliver(nodes, here)
    assert "Potholes" not in moothall("project", "list").out
    with there.reading() as session:
        (follower,) = session.scalars(select(Follow)).all()
        assert follower.follower.is_local, "its own alone: ours is over"
    again = moothall("peer", "unfollow", there.address)
    assert again.refusal == f"Your council does not follow {there.address}."
