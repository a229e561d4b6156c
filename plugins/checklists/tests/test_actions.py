"""Actions: opened by the answers no and partly, listed, done, and reminded of."""

from datetime import timedelta

from node import api
from node.testing.nodes import TestNode
from node.testing.visitor import Visitor
from plugins.checklists import contributions
from plugins.checklists.tests.conftest import AssessmentPage, begin, begin_for_project, publish


def owner_id(visitor: Visitor) -> str:
    """The value of Ola Officer in the list of owners."""
    return (
        visitor.page.text.partition(">Ola Officer</option>")[0]
        .rpartition('value="')[2]
        .partition('"')[0]
    )


def plan(run: AssessmentPage, question: str, **fields: str) -> str:
    run.visitor.visit(run.question_path(question, "/action"))
    fields = {"owner_id": owner_id(run.visitor)} | fields
    return run.visitor.submit("/action", **fields).text


def due_in(days: int) -> dict[str, str]:
    due_on = api.now().date() + timedelta(days=days)
    parts = {"day": due_on.day, "month": due_on.month, "year": due_on.year}
    return {f"due_on-{name}": str(value) for name, value in parts.items()}


def test_no_opens_action_with_recommendation_and_yes_does_not(
    officer: Visitor,
) -> None:
    run = begin_for_project(officer, publish(officer))
    run.answer("q1", "yes")
    assert officer.page.request.path == run.question_path("q2")
    page = run.answer("q2", "no")
    assert officer.page.request.path == run.question_path("q2", "/action")
    assert "Ask for open standards" in page
    page = plan(run, "q2", plan="Write to the supplier", **due_in(30))
    assert officer.page.request.path == run.question_path("q3")
    page = officer.visit(run.path).text
    assert "Write to the supplier" in page
    assert "To do" in page
    run.answer("q2", "yes")
    assert "Write to the supplier" not in officer.visit(run.path).text


def test_action_is_listed_until_done(officer: Visitor) -> None:
    run = begin_for_project(officer, publish(officer, "Ponds"))
    run.answer("q1", "partly")
    plan(run, "q1", plan="Meet the anglers", **due_in(-1))
    for whose in ("all", "mine"):
        page = officer.visit(f"/checklists/actions?whose={whose}").text
        assert "Meet the anglers" in page
        assert "Overdue" in page
        assert "Ola Officer" in page
    officer.visit(run.question_path("q1", "/action"))
    assert "The action has been marked as done." in officer.submit("/settle").text
    assert "Meet the anglers" not in officer.visit("/checklists/actions").text
    officer.visit(run.question_path("q1", "/action"))
    officer.submit("/settle")
    assert "Meet the anglers" in officer.visit("/checklists/actions").text


def test_action_is_carried_to_next_run(officer: Visitor) -> None:
    run = begin_for_project(officer, publish(officer))
    run.answer_all("yes", "q2", "q3", "q4", "q5")
    run.answer("q1", "no")
    plan(run, "q1", plan="Carry on", **due_in(9))
    run.finish()
    again = run.begin_again()
    assert "Carry on" in officer.visit(again.path).text
    assert officer.visit("/checklists/actions").text.count("Carry on") == 1


def test_concurrent_plans_conflict_without_loss(council: TestNode, officer: Visitor) -> None:
    run = begin_for_project(officer, publish(officer))
    run.answer("q1", "no")
    other = council.visitor("operator")
    other.visit(run.question_path("q1", "/action"))
    plan(run, "q1", plan="The first plan")
    page = other.submit("/action", plan="The second plan")
    assert page.status_code == 409
    assert "The first plan" in page.text
    assert other.form("/action").values["plan"] == "The second plan"
    wrong = other.submit("/action", owner_id="99")
    assert "Select an owner from the list" in wrong.text


def test_desk_links_to_actions_and_unfinished_runs(officer: Visitor) -> None:
    run = begin_for_project(officer, publish(officer, "Desk matters"))
    run.answer("q1", "no")
    plan(run, "q1", plan="Clear the desk")
    page = officer.visit("/desk").text
    assert "Clear the desk" in page
    assert run.question_path("q1", "/action") in page
    assert f'href="{run.path}"' in page


def test_owner_is_reminded_once_before_due_date(council: TestNode, officer: Visitor) -> None:
    run = begin(officer, "service-standard", scope="service", service="Reminders")
    run.answer("p1", "no")
    plan(run, "p1", plan="Soon", **due_in(3))
    run.answer("p2", "no")
    plan(run, "p2", plan="Later", **due_in(300))
    assert [remind(council), remind(council)] == [1, 0]
    assert "You have checklist actions due soon" in officer.visit("/notices").text


def remind(council: TestNode) -> int:
    """Run the job once. Returns the number of new notifications."""
    with council.app.app_context(), api.work("checklists") as work:
        before = count_notifications(council)
        contributions.remind_owners(work)
    created = count_notifications(council) - before
    while council.node.jobs.run_pending():
        pass
    return created


def count_notifications(council: TestNode) -> int:
    with council.reading() as session:
        rows = session.connection().exec_driver_sql("SELECT count(*) FROM happening")
        return int(rows.scalar_one())
