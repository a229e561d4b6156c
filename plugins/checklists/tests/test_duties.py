"""Integration with the node: commands, doctor, search and demonstration data."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from node import api
from node.api import DemoInfo
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor
from plugins.checklists import commands, contributions, library, plugin
from plugins.checklists.definitions.serialising import to_yaml
from plugins.checklists.definitions.shipped import load_shipped
from plugins.checklists.models import ChecklistVersion
from plugins.checklists.tests.conftest import DECLARATION, begin_for_project, publish


def run_command(council: TestNode, name: str, *arguments: str) -> str:
    """Run `moothall checklists NAME`. Returns the exit code and the output."""
    command = next(item for item in commands.COMMANDS if item.name == name)
    with council.app.app_context():
        result = CliRunner().invoke(command, list(arguments))
    return f"{result.exit_code} {result.output}"


def test_commands_list_export_check_and_import(council: TestNode, tmp_path: Path) -> None:
    assert "service-standard 1 [en cy] Service Standard" in run_command(council, "list")
    text = run_command(council, "export", "reporting-done-right").removeprefix("0 ")
    assert text == to_yaml(load_shipped()["reporting-done-right"])
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace("id: reporting-done-right", "id: mine"))
    assert "mine is valid and has 7 questions" in run_command(council, "check", str(path))
    assert run_command(council, "import", str(path)) == "0 Published version 1 of mine\n"
    path.write_text("id: mine\ntitle: [")
    assert (
        run_command(council, "import", str(path))
        == "1 Error: mine.yaml, line 2: This is not valid YAML\n"
    )


def test_doctor_reports_unreadable_and_unworded_checklists(council: TestNode) -> None:
    checks = {check.question: check.run for check in plugin.register_checks()}
    with council.app.app_context(), api.work("checklists") as work:
        assert checks["Can every checklist be read?"](work) == ""
        find_unworded = checks["Is the text of every checklist complete?"]
        assert find_unworded(work) == ""
        changed = replace(load_shipped()["digital-best-practice"], licence="CC0-1.0")
        library.publish(work, changed)
        assert find_unworded(work).startswith("digital-best-practice: q5.recommendation, q6.text")
        row = ChecklistVersion(checklist="old", number=3, data={"id": "old"}, by="test")
        work.session.add(row)
        work.session.flush()
        assert checks["Can every checklist be read?"](work) == "old 3, version: This is missing"
        work.session.delete(row)


def test_projects_are_found_by_checklist_facet(council: TestNode, officer: Visitor) -> None:
    token = publish(officer, "Found by its checklist")
    run = begin_for_project(officer, token)
    run.answer_all("yes", "q1", "q2", "q3", "q4", "q5")
    address = f"/projects?facet=checklists.{contributions.FACET_NAME}:finished"
    assert "Found by its checklist" not in officer.visit(address).text
    run.finish()
    council.node.jobs.run_pending()
    assert "Found by its checklist" in officer.visit(address).text


@pytest.fixture
def new(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


def test_demo_data_has_answers_actions_and_shared_run(new: TestNode) -> None:
    officer = new.visitor("officer")
    token = publish(officer)
    with new.app.app_context(), api.work("checklists") as work:
        (project,) = api.projects(work)
        officer_view = next(person for person in api.people(work) if person.name == "Ola Officer")
        demo = DemoInfo(api.council(work), officer_view, (project,))
        plugin.demo(demo, work)
        plugin.demo(demo, work)
    assert "answered" in officer.visit(f"/projects/{token}").text
    assert "Aldermoor Council" in officer.visit(f"/checklists/{DECLARATION}/councils").text
    assert "View action" in officer.visit("/desk").text
