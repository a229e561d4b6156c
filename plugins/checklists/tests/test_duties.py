"""What the node does by itself: commands, the doctor, the search, settings, the demonstration."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from node import api
from node.api import DemoView
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor
from plugins.checklists import automation, commands, library, plugin
from plugins.checklists.definitions.serialising import to_yaml
from plugins.checklists.definitions.shipped import load_shipped
from plugins.checklists.models import ChecklistVersion
from plugins.checklists.tests.conftest import DECLARATION, of_project, publish


def command(council: TestNode, name: str, *words: str) -> str:
    """What `moothall checklists NAME` prints."""
    found = next(one for one in commands.COMMANDS if one.name == name)
    with council.app.app_context():
        result = CliRunner().invoke(found, list(words))
    return f"{result.exit_code} {result.output}"


def test_checklists_are_listed_exported_checked_and_imported_by_commands(
    council: TestNode, tmp_path: Path
) -> None:
    assert "service-standard 1 [en cy] Service Standard" in command(council, "list")
    text = command(council, "export", "reporting-done-right").removeprefix("0 ")
    assert text == to_yaml(load_shipped()["reporting-done-right"])
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace("id: reporting-done-right", "id: mine"))
    assert "mine is a checklist of 7 questions." in command(council, "check", str(path))
    assert command(council, "import", str(path)) == "0 mine has version 1 now.\n"
    path.write_text("id: mine\ntitle: [")
    assert (
        command(council, "import", str(path))
        == "1 Error: mine.yaml, line 2: This is not valid YAML\n"
    )


def test_the_doctor_names_what_cannot_be_read_and_what_nobody_worded(council: TestNode) -> None:
    looks = {check.question: check.look for check in plugin.register_checks()}
    with council.app.app_context(), api.work("checklists") as work:
        assert looks["Can every checklist be read?"](work) == ""
        unworded = looks["Is every checklist worded?"]
        assert unworded(work) == ""
        changed = replace(load_shipped()["digital-best-practice"], licence="CC0-1.0")
        library.publish(work, changed)
        assert unworded(work).startswith("digital-best-practice: q5.recommendation, q6.text")
        row = ChecklistVersion(checklist="old", number=3, data={"id": "old"}, by="test")
        work.session.add(row)
        work.session.flush()
        assert looks["Can every checklist be read?"](work) == "old 3, version: This is missing"
        work.session.delete(row)


def test_projects_are_found_by_their_checklists(council: TestNode, officer: Visitor) -> None:
    token = publish(officer, "Found by its checklist")
    run = of_project(officer, token)
    run.answer_all("yes", "q1", "q2", "q3", "q4", "q5")
    address = f"/projects?facet=checklists.{automation.FACET_NAME}:finished"
    assert "Found by its checklist" not in officer.visit(address).text
    run.finish()
    council.node.jobs.run_pending()
    assert "Found by its checklist" in officer.visit(address).text


@pytest.fixture
def new(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


def test_a_demonstration_has_answers_actions_and_something_shared(new: TestNode) -> None:
    officer = new.visitor("officer")
    token = publish(officer)
    with new.app.app_context(), api.work("checklists") as work:
        (project,) = api.projects(work)
        who = next(one for one in api.people(work) if one.name == "Ola Officer")
        demo = DemoView(api.council(work), who, (project,))
        plugin.demo(demo, work)
        plugin.demo(demo, work)
    assert "answered" in officer.visit(f"/projects/{token}").text
    assert "Aldermoor Council" in officer.visit(f"/checklists/{DECLARATION}/councils").text
    assert "View action" in officer.visit("/desk").text
