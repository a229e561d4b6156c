"""Markdown and YAML are read before a request may write: who writes slowly keeps nobody waiting."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from node import markup
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor
from tests.pages.test_writing import write
from tests.rest.conftest import ALL, Program, make_token

CHECKLIST = """
id: mine
version: 1
title: Mine
about: Ours
source: {title: Us}
licence: OGL-UK-3.0
sections:
  - {id: one, title: One, questions: [{id: q1, text: "Is it so?"}]}
"""


# Which lets one write at a time.
pytestmark = pytest.mark.parametrize("lasting_nodes", ["sqlite"], indirect=True, scope="module")


@pytest.fixture(scope="module")
def council(lasting_nodes: Nodes) -> TestNode:
    return lasting_nodes.start("aldermoor", plugins=("checklists",))


@pytest.fixture
def officer(council: TestNode) -> Visitor:
    return council.visitor("officer")


@pytest.fixture
def is_free(council: TestNode, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Whether others could write, each time that something was read."""
    seen: list[bool] = []
    path = Path(council.node.settings.database_url.removeprefix("sqlite:///"))

    def watched(read: Any) -> Any:
        def reading(*given: Any, **more: Any) -> Any:
            other = sqlite3.connect(path, timeout=0, isolation_level=None)
            try:
                other.execute("BEGIN IMMEDIATE")
                seen.append(True)
            except sqlite3.OperationalError:
                seen.append(False)
            finally:
                other.close()
            return read(*given, **more)

        return reading

    monkeypatch.setattr(markup, "sanitise", watched(markup.sanitise))
    monkeypatch.setattr(yaml, "load", watched(yaml.load))
    yield seen
    assert seen
    assert all(seen)


@pytest.mark.usefixtures("is_free")
class TestWhileItIsRead:
    def test_a_new_project(self, officer: Visitor) -> None:
        write(officer, brief="Brief of a new project")

    def test_a_project_that_is_changed(self, officer: Visitor, is_free: list[bool]) -> None:
        address = write(officer)
        for part, typed in (
            ("edit", {"brief": "Brief that was changed"}),
            ("edit/brief", {"why": "Because it was changed"}),
        ):
            officer.visit(f"{address}/{part}")
            is_free.clear()
            assert officer.submit(**typed).status_code == 200
            assert is_free, part
        officer.visit(f"{address}/history/1")
        markup.render_markdown.cache_clear()
        assert officer.submit("restore").status_code == 200

    def test_updates_and_comments(self, officer: Visitor, is_free: list[bool]) -> None:
        address = write(officer)
        for page, form, typed in (
            (f"{address}/updates/new", "", {"changed": "An update"}),
            (f"{address}", "comments", {"source": "A comment"}),
        ):
            officer.visit(page)
            is_free.clear()
            assert officer.submit(form, **typed).status_code == 200
            assert is_free, page

    def test_the_api(self, council: TestNode, officer: Visitor, is_free: list[bool]) -> None:
        program = Program(council, make_token(officer, *ALL))
        text = {"title": "T", "summary": "S", "phase": "alpha", "state": "published"}
        made = program("POST", "/projects", text | {"brief": "Brief by the API"})
        project = f"/projects/{made.json['token']}"
        is_free.clear()
        changed = program("PATCH", project, {"brief": "Changed"}, If_Match=made.headers["ETag"])
        assert changed.status_code == 200
        assert is_free
        is_free.clear()
        answer = program("POST", f"{project}/updates", {"changed": "An update by the API"})
        assert answer.status_code == 201

    def test_a_checklist(self, council: TestNode) -> None:
        operator = council.visitor("operator")
        operator.visit("/checklists/import")
        assert operator.submit("import", text=CHECKLIST).status_code == 200
