"""Answering a checklist: progress, validation, history, and who can see a run."""

from sqlalchemy import text

from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor
from plugins.checklists.tests.conftest import DECLARATION, begin, begin_for_project, publish


def test_everyone_can_read_questions(council: TestNode) -> None:
    visitor = council.visitor()
    assert 'href="/checklists"' in visitor.visit("/projects").text
    assert "Service Standard" in visitor.visit("/checklists").text
    page = visitor.visit(f"/checklists/{DECLARATION}").text
    assert "Does it help to fix the plumbing?" in page
    assert "Ministry of Housing, Communities and Local Government" in page
    assert (
        "A yw’n helpu i drwsio’r seiliau?"
        in visitor.visit(f"/checklists/{DECLARATION}?lang=cy").text
    )


def test_progress_by_section(officer: Visitor) -> None:
    run = begin_for_project(officer, publish(officer))
    assert "0 of 5 answered" in officer.text
    assert officer.text.count("Not started") == 2
    run.answer("q1", "yes")
    page = officer.visit(run.path).text
    assert "1 of 5 answered: 1 yes" in page
    assert "In progress" in page
    run.answer_all("yes", "q2", "q3")
    assert "Completed" in officer.visit(run.path).text


def test_answer_leads_to_next_question_then_to_section(officer: Visitor) -> None:
    run = begin_for_project(officer, publish(officer))
    run.answer("q1", "yes")
    assert officer.page.request.path == run.question_path("q2")
    run.answer("q3", "yes")
    assert officer.page.request.path == f"{run.path}/sections/services"
    assert "Not answered" in officer.text


def test_every_question_type_can_be_answered(coordinator: Visitor) -> None:
    coordinator.visit("/checklists/import")
    coordinator.submit("/import", text=EVERY_TYPE)
    coordinator.visit("/checklists/every-type/edit/publish")
    coordinator.submit("/publish")
    run = begin(coordinator, "every-type")
    assert "Select an answer" in run.answer("degree", "perhaps")
    assert "Select an answer" in run.answer("which", "c")
    assert "Enter a number, like 12 or 3.5" in run.answer("number", "many")
    assert "0 of 5 answered" in coordinator.visit(run.path).text
    run.answer("degree", "not-applicable")
    run.answer("which", "b")
    run.answer("number", "1,200.50")
    run.answer("words", "In two\nlines")
    coordinator.visit(run.question_path("day"))
    assert coordinator.page.status_code == 200
    day = {"answer-day": "31", "answer-month": "2", "answer-year": "2027"}
    assert "Enter a real date" in coordinator.submit("/questions/", **day).text
    assert coordinator.form("/questions/").values["answer-day"] == "31"
    coordinator.submit("/questions/", **(day | {"answer-day": "28"}))
    page = coordinator.visit(f"{run.path}/report").text
    for answer in ("Not applicable", "The second", "1200.5", "In two\nlines", "28 February 2027"):
        assert answer in page


def test_display_condition_depends_on_other_answer(coordinator: Visitor) -> None:
    run = begin(coordinator, "every-type", scope="service", service="Trees")
    assert "Why not?" not in coordinator.visit(f"{run.path}/sections/all").text
    run.answer("degree", "no")
    assert "Why not?" in coordinator.visit(f"{run.path}/sections/all").text
    run.answer("why", "Because")
    run.answer("degree", "yes")
    assert "Why not?" not in coordinator.visit(f"{run.path}/report").text


def test_answer_has_note_evidence_and_history(officer: Visitor) -> None:
    run = begin_for_project(officer, publish(officer))
    link = {"evidence-0-url": "https://bins.example/plan", "evidence-0-title": "The plan"}
    run.answer("q1", "yes", note="We met forty people.", **link)
    officer.visit(run.question_path("q1"))
    values = officer.form("/questions/").values
    assert values["answer"] == "yes"
    assert values["note"] == "We met forty people."
    assert values["evidence-0-url"] == "https://bins.example/plan"
    run.answer("q1", "partly", note="Only ten.")
    page = officer.visit(run.question_path("q1")).text
    assert "Previous versions" in page
    assert "We met forty people." in page
    assert "Changed by Ola Officer" in page


def test_answers_stay_a_persons_when_their_email_address_changes(nodes: Nodes) -> None:
    council = nodes.start("aldermoor", plugins=("checklists",))
    officer = council.visitor("officer")
    run = begin_for_project(officer, publish(officer))
    run.answer("q1", "yes", note="We met forty people.")
    run.answer("q1", "partly", note="Only ten.")
    with council.work() as work:
        work.session.execute(text("UPDATE users SET email = 'new-' || email"))
    page = officer.visit(run.question_path("q1")).text
    assert "Changed by Ola Officer" in page
    assert "Someone else" not in page
    assert "Continue assessment" in officer.visit("/desk").text


def test_adding_link_does_not_save_and_invalid_link_is_rejected(officer: Visitor) -> None:
    run = begin_for_project(officer, publish(officer))
    officer.visit(run.question_path("q1"))
    officer.submit("/questions/", answer="yes", note="Kept", add="evidence")
    values = officer.form("/questions/").values
    assert values["note"] == "Kept"
    assert "evidence-1-url" in values
    page = officer.submit("/questions/", **{"evidence-1-url": "javascript:alert(1)"})
    assert page.status_code == 400
    assert (
        '<a href="#evidence-1-url">Enter a web address that starts with https://</a>'
    ) in page.text
    assert officer.form("/questions/").values["note"] == "Kept"


def test_concurrent_answers_conflict_without_loss(council: TestNode, officer: Visitor) -> None:
    run = begin_for_project(officer, publish(officer))
    other_officer = council.visitor("operator")
    officer.visit(run.question_path("q1"))
    other_officer.visit(run.question_path("q1"))
    other_officer.submit("/questions/", answer="yes", note="Theirs")
    page = officer.submit("/questions/", answer="partly", note="Mine")
    assert page.status_code == 409
    assert "Theirs" in page.text
    assert officer.form("/questions/").values["note"] == "Mine"
    assert officer.submit("/questions/").status_code == 200
    officer.visit(run.question_path("q1"))
    values = officer.form("/questions/").values
    assert (values["answer"], values["note"]) == ("partly", "Mine")


def test_complete_run_can_be_finished_and_is_then_read_only(officer: Visitor) -> None:
    run = begin_for_project(officer, publish(officer))
    run.answer_all("yes", "q1", "q2", "q3", "q4")
    assert "/finish" not in officer.visit(run.path).text
    run.answer("q5", "yes")
    assert "You have finished the assessment." in run.finish()
    assert "Start a new assessment to answer again" in officer.visit(run.question_path("q1")).text


def test_new_run_starts_with_old_answers_and_is_compared(
    officer: Visitor,
) -> None:
    run = begin_for_project(officer, publish(officer))
    run.answer_all("no", "q1", "q2")
    run.answer_all("yes", "q3", "q4", "q5")
    run.finish()
    next_run = run.begin_again()
    assert next_run.token != run.token
    assert "5 of 5 answered: 3 yes, 2 no" in officer.text
    next_run.answer("q1", "yes")
    page = officer.visit(f"{next_run.path}/over-time").text
    assert "<svg" in page
    assert page.count('<rect class="checklists-bars__no"') >= 2
    row = page.partition("Is it designed around the needs")[2].partition("</tr>")[0]
    assert row.index("No") < row.index("Yes")
    assert "3 yes, 2 no" in officer.visit(run.path).text


def test_deleting_unfinished_run_restores_previous_as_latest(officer: Visitor) -> None:
    run = begin_for_project(officer, publish(officer))
    run.answer_all("yes", "q1", "q2", "q3", "q4", "q5")
    run.finish()
    next_run = run.begin_again()
    officer.visit(f"{next_run.path}/delete")
    officer.submit("/delete")
    assert officer.visit(next_run.path).status_code == 404
    assert "Start a new assessment" in officer.visit(run.path).text


def test_visitors_see_finished_run_without_notes_and_names(
    council: TestNode, officer: Visitor
) -> None:
    token = publish(officer)
    run = begin_for_project(officer, token)
    public_link = {"evidence-0-url": "https://bins.example/open", "evidence-0-title": "Open"}
    private_link = {"evidence-0-url": "https://bins.example/hidden", "evidence-0-is_private": "y"}
    run.answer("q1", "yes", note="A secret note", **public_link)
    run.answer("q2", "yes", **private_link)
    visitor = council.visitor()
    assert visitor.visit(run.path).status_code == 404
    assert "Local Digital Declaration" not in visitor.visit(f"/projects/{token}").text
    run.answer_all("no", "q3", "q4", "q5")
    run.finish()
    assert "5 of 5 answered: 2 yes, 3 no" in visitor.visit(f"/projects/{token}").text
    page = visitor.visit(run.path).text
    assert "Does it help to fix the plumbing?" in page
    assert "bins.example/open" in page
    for secret in ("A secret note", "bins.example/hidden", "Ola Officer"):
        assert secret not in page


def test_runs_about_council_or_service_are_internal(council: TestNode, officer: Visitor) -> None:
    for subject in ({"scope": "council"}, {"scope": "service", "service": "Libraries"}):
        run = begin(officer, "reporting-done-right", **subject)
        questions = ("page", "place", "receipt", "back-office", "team", "updates", "done")
        run.answer_all("yes", *questions)
        run.finish()
        assert council.visitor().visit(run.path).status_code == 404
    assert "Service: Libraries" in officer.visit("/checklists/reporting-done-right").text


def test_answering_requires_permission(council: TestNode, officer: Visitor) -> None:
    run = begin_for_project(officer, publish(officer))
    visitor = council.visitor()
    assert visitor.visit(run.question_path("q1")).request.path == "/sign-in"
    visitor.client.post(run.question_path("q1"), data={"answer": "yes", "version": "0"})
    assert "0 of 5 answered" in officer.visit(run.path).text
    assert officer.client.post(run.question_path("q1"), data={"answer": "yes"}).status_code == 400


def test_run_about_private_project_is_hidden(council: TestNode, officer: Visitor) -> None:
    officer.visit("/projects/new")
    page = officer.submit(
        title="Hush", summary="S.", phase="alpha", brief="B.", visibility="private", then="publish"
    )
    run = begin_for_project(officer, page.request.path.rpartition("/")[2])
    run.answer_all("yes", "q1", "q2", "q3", "q4", "q5")
    run.finish()
    visitor = council.visitor()
    assert visitor.visit(run.path).status_code == 404
    assert visitor.visit(f"{run.path}/report").status_code == 404
    assert "Hush" not in visitor.visit(f"/checklists/{DECLARATION}").text


def test_runs_are_deleted_with_project(council: TestNode, officer: Visitor) -> None:
    token = publish(officer)
    run = begin_for_project(officer, token)
    run.answer("q1", "no")
    officer.visit(f"/projects/{token}/delete")
    officer.submit("delete")
    assert officer.visit(run.path).status_code == 404
    with council.reading() as session:
        query = "SELECT count(*) FROM checklists__run WHERE about LIKE ?".replace(
            "?", f"'%{token}'"
        )
        assert session.connection().exec_driver_sql(query.replace("%", "%%")).scalar() == 0


def test_what_is_not_written_yet_is_shown_to_coordinators_alone(
    council: TestNode, officer: Visitor
) -> None:
    address, missing = "/checklists/digital-best-practice", "is not in our source"
    for visitor in (council.visitor(), officer):
        page = visitor.visit(address).text
        assert (missing in page, "Not written yet" in page) == (False, False)
    page = council.visitor("operator").visit(address).text
    assert "Question 6 is not in our source." in page
    assert page.count("Not written yet") >= 4
    run = begin(officer, "digital-best-practice")
    assert "0 of 5 answered" in officer.text
    assert officer.visit(run.question_path("q6")).status_code == 404
    officer.visit(run.question_path("q5"))
    officer.submit("question", answer="no")
    for path in (run.path, f"{run.path}/report", f"{run.path}/report.csv"):
        assert missing not in officer.visit(path).text


EVERY_TYPE = """
id: every-type
version: 1
title: Every type
about: One question of each.
source: {title: Our own}
licence: MIT
sections:
- id: all
  title: All of them
  questions:
  - {id: degree, text: "How far is it?"}
  - {id: why, type: text, text: "Why not?", shown_when: {question: degree, is: [no, partly]}}
  - id: which
    type: choice
    text: Which one?
    options: [{id: a, text: The first}, {id: b, text: The second}]
  - {id: number, type: number, text: "How many?"}
  - {id: words, type: text, text: "In your words?"}
  - {id: day, type: date, text: "When?"}
"""
