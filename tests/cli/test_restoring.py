"""A node that is restored from an old backup agrees with its peers again, and repeats no id."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from node.federating.models import Actor, ActorKey, InboxItem
from node.settings import ENVIRONMENT_PREFIX
from node.testing.nodes import Nodes, TestNode
from node.testing.postgres import programs_folder
from tests.cli.conftest import Command
from tests.cli.test_keys import told
from tests.federation.converging import (
    change,
    compare,
    held,
    held_updates,
    publish,
    remove,
    tell,
)
from tests.federation.test_main_job import follow


@pytest.fixture
def three(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> tuple[TestNode, ...]:
    """Three councils that all follow each other; commands are about the first."""
    made = tuple(nodes.start(name) for name in ("aldermoor", "brackwell", "cragford"))
    for one in made:
        for other in made:
            if one is not other:
                one.allow(other)
    for one in made:
        for other in made:
            if one is not other:
                follow(nodes, one, other)
    for name in ("base_url", "database_url", "secret_key"):
        monkeypatch.setenv(
            ENVIRONMENT_PREFIX + name.upper(), str(getattr(made[0].node.settings, name))
        )
    monkeypatch.setenv("PATH", f"{programs_folder()}{os.pathsep}{os.environ['PATH']}")
    return made


def lose_database(one: TestNode, request: pytest.FixtureRequest) -> None:
    """The disk is gone; in its place is an empty one."""
    engine = one.node.engine
    engine.dispose()
    name = engine.url.database or ""
    if engine.dialect.name == "sqlite":
        for file in (name, f"{name}-wal", f"{name}-shm"):
            Path(file).unlink(missing_ok=True)
        return
    server = request.getfixturevalue("postgres")
    server.replace_database(name, server.create_database())


def ids_from(one: TestNode, others: tuple[TestNode, ...]) -> set[str]:
    """Every id of its own that `others` got from `one`: of activities, objects and keys."""

    def walk(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(value.get("id"), str):
                yield value["id"]
            for part in value.values():
                yield from walk(part)
        elif isinstance(value, list):
            for part in value:
                yield from walk(part)

    found: set[str] = set()
    for other in others:
        with other.reading() as session:
            for body in session.scalars(select(InboxItem.body).where(InboxItem.host == one.host)):
                found |= set(walk(json.loads(body) if isinstance(body, str) else body))
            keys = select(ActorKey.key_id).join(Actor).where(Actor.host == one.host)
            found |= set(session.scalars(keys))
    return {each for each in found if each.startswith(f"https://{one.host}/")}


def work(nodes: Nodes, moothall: Command, here: TestNode, title: str) -> None:
    """A day's work of a council."""
    publish(here, title)
    tell(here, title, f"{title} has begun.")
    nodes.run_until_idle()
    assert moothall("council", "rotate-keys").code == 0
    told(nodes, here)


def test_a_node_restored_to_yesterday_agrees_with_its_peers_and_repeats_no_id(
    three: tuple[TestNode, ...],
    nodes: Nodes,
    moothall: Command,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    here, there, third = three
    publish(here, "Bins")
    publish(third, "Trees")
    nodes.run_until_idle()
    file = tmp_path / "yesterday.backup"
    assert moothall("backup", file).code == 0
    known = ids_from(here, (there, third))

    work(nodes, moothall, here, "Written today")
    change(here, "Bins", "Bins in one step")
    change(third, "Trees", "Trees and benches")
    publish(there, "Potholes")
    nodes.run_until_idle()
    today = ids_from(here, (there, third)) - known
    assert {title for _, title in held(there, here).values()} == {
        "Written today",
        "Bins in one step",
    }

    officer = here.visitor("officer")
    assert officer.client.get("/desk").status_code == 200
    file_of_today = tmp_path / "today.backup"
    assert moothall("backup", file_of_today).code == 0
    lose_database(here, request)
    assert moothall("restore", file_of_today).code == 0
    here.node.invalidate_caches()
    assert officer.client.get("/desk").status_code == 302, "the session may have been ended since"
    lose_database(here, request)
    restored = moothall("restore", file)
    assert (restored.code, restored.err) == (0, ""), restored
    here.node.invalidate_caches()
    for one in three:
        compare(nodes, one)
    for follower in (there, third):
        assert held(follower, here) == held(here, here)
        assert held_updates(follower, here) == held_updates(here, here)
    assert {title for _, title in held(here, here).values()} == {"Bins"}
    for council in (there, third):
        assert held(here, council) == held(council, council), "what it missed comes again"

    before = ids_from(here, (there, third))
    work(nodes, moothall, here, "Written after the restore")
    fresh = ids_from(here, (there, third)) - before
    assert fresh & (known | today) == set()
    assert any("/activities/" in one for one in fresh)
    assert any("#main-key-2" in one for one in fresh)
    assert any("#main-key-2" in one for one in today)
    for follower in (there, third):
        assert held(follower, here) == held(here, here)
    remove(here, "Bins")
    nodes.run_until_idle()
    assert held(there, here) == held(third, here) == held(here, here)
