"""A "no" becomes something to do: for somebody, until a day, on a list and a desk."""

from datetime import timedelta

from node import api
from node.testing.nodes import TestNode
from node.testing.visitor import Visitor
from plugins.checklists import automation
from plugins.checklists.tests.conftest import Running, begin, of_project, publish


def owner(who: Visitor) -> str:
    """The number of the officer in the list of those who may look after an action."""
    return (
        who.page.text.partition(">Ola Officer</option>")[0]
        .rpartition('value="')[2]
        .partition('"')[0]
    )


def plan(run: Running, question: str, **typed: str) -> str:
    run.who.visit(run.at(question, "/action"))
    typed = {"owner_id": owner(run.who)} | typed
    return run.who.submit("/action", **typed).text


def days(number: int) -> dict[str, str]:
    day = api.now().date() + timedelta(days=number)
    parts = {"day": day.day, "month": day.month, "year": day.year}
    return {f"due_on-{name}": str(value) for name, value in parts.items()}


def test_a_no_asks_for_an_action_with_its_recommendation_and_a_yes_does_not(
    officer: Visitor,
) -> None:
    run = of_project(officer, publish(officer))
    run.answer("q1", "yes")
    assert officer.page.request.path == run.at("q2")
    page = run.answer("q2", "no")
    assert officer.page.request.path == run.at("q2", "/action")
    assert "Ask for open standards" in page
    page = plan(run, "q2", plan="Write to the supplier", **days(30))
    assert officer.page.request.path == run.at("q3")
    page = officer.visit(run.path).text
    assert "Write to the supplier" in page
    assert "To do" in page
    run.answer("q2", "yes")
    assert "Write to the supplier" not in officer.visit(run.path).text


def test_an_action_is_listed_until_it_is_done(officer: Visitor) -> None:
    run = of_project(officer, publish(officer, "Ponds"))
    run.answer("q1", "partly")
    plan(run, "q1", plan="Meet the anglers", **days(-1))
    for whose in ("all", "mine"):
        page = officer.visit(f"/checklists/actions?whose={whose}").text
        assert "Meet the anglers" in page
        assert "Overdue" in page
        assert "Ola Officer" in page
    officer.visit(run.at("q1", "/action"))
    assert "The action has been marked as done." in officer.submit("/settle").text
    assert "Meet the anglers" not in officer.visit("/checklists/actions").text
    officer.visit(run.at("q1", "/action"))
    officer.submit("/settle")
    assert "Meet the anglers" in officer.visit("/checklists/actions").text


def test_an_action_goes_on_in_the_next_run(officer: Visitor) -> None:
    run = of_project(officer, publish(officer))
    run.answer_all("yes", "q2", "q3", "q4", "q5")
    run.answer("q1", "no")
    plan(run, "q1", plan="Carry on", **days(9))
    run.finish()
    again = run.again()
    assert "Carry on" in officer.visit(again.path).text
    assert officer.visit("/checklists/actions").text.count("Carry on") == 1


def test_two_who_plan_at_once_lose_nothing(council: TestNode, officer: Visitor) -> None:
    run = of_project(officer, publish(officer))
    run.answer("q1", "no")
    other = council.visitor("operator")
    other.visit(run.at("q1", "/action"))
    plan(run, "q1", plan="The first plan")
    page = other.submit("/action", plan="The second plan")
    assert page.status_code == 409
    assert "The first plan" in page.text
    assert other.form("/action").values["plan"] == "The second plan"
    wrong = other.submit("/action", owner_id="99")
    assert "Select an owner from the list" in wrong.text


def test_the_desk_leads_to_actions_and_to_what_was_begun(officer: Visitor) -> None:
    run = of_project(officer, publish(officer, "Desk matters"))
    run.answer("q1", "no")
    plan(run, "q1", plan="Clear the desk")
    page = officer.visit("/desk").text
    assert "Clear the desk" in page
    assert run.at("q1", "/action") in page
    assert f'href="{run.path}"' in page


def test_whoever_looks_after_an_action_is_reminded_once_before_it_falls_due(
    council: TestNode, officer: Visitor
) -> None:
    run = begin(officer, "service-standard", scope="service", service="Reminders")
    run.answer("p1", "no")
    plan(run, "p1", plan="Soon", **days(3))
    run.answer("p2", "no")
    plan(run, "p2", plan="Later", **days(300))
    told = [remind(council), remind(council)]
    assert told == [1, 0]
    assert "fall due soon" in officer.visit("/notices").text


def remind(council: TestNode) -> int:
    """Do what the job does; of how much people are told."""
    with council.app.app_context(), api.work("checklists") as work:
        before = told(council)
        automation.remind_owners(work)
    count = told(council) - before
    while council.node.jobs.run_pending():
        pass
    return count


def told(council: TestNode) -> int:
    with council.reading() as session:
        rows = session.connection().exec_driver_sql("SELECT count(*) FROM happening")
        return int(rows.scalar_one())
