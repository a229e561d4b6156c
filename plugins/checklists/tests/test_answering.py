"""A checklist is gone through on its pages: what is asked, kept, checked and shown to whom."""

from node.testing.nodes import TestNode
from node.testing.visitor import Visitor
from plugins.checklists.tests.conftest import DECLARATION, begin, of_project, publish


def test_everybody_can_read_what_a_checklist_asks(council: TestNode) -> None:
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


def test_progress_is_a_list_of_tasks(officer: Visitor) -> None:
    run = of_project(officer, publish(officer))
    assert "0 of 5 answered" in officer.text
    assert officer.text.count("Not started") == 2
    run.answer("q1", "yes")
    page = officer.visit(run.path).text
    assert "1 of 5 answered: 1 yes" in page
    assert "In progress" in page
    run.answer_all("yes", "q2", "q3")
    assert "Completed" in officer.visit(run.path).text


def test_one_question_leads_to_the_next_and_then_to_all_of_the_section(officer: Visitor) -> None:
    run = of_project(officer, publish(officer))
    run.answer("q1", "yes")
    assert officer.page.request.path == run.at("q2")
    run.answer("q3", "yes")
    assert officer.page.request.path == f"{run.path}/sections/services"
    assert "Not answered" in officer.text


def test_every_type_of_question_is_answered(coordinator: Visitor) -> None:
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
    coordinator.visit(run.at("day"))
    assert coordinator.page.status_code == 200
    day = {"answer-day": "31", "answer-month": "2", "answer-year": "2027"}
    assert "Enter a real date" in coordinator.submit("/questions/", **day).text
    assert coordinator.form("/questions/").values["answer-day"] == "31"
    coordinator.submit("/questions/", **(day | {"answer-day": "28"}))
    page = coordinator.visit(f"{run.path}/report").text
    for answer in ("Not applicable", "The second", "1200.5", "In two\nlines", "28 February 2027"):
        assert answer in page


def test_a_question_is_asked_when_the_answer_to_another_says_so(coordinator: Visitor) -> None:
    run = begin(coordinator, "every-type", scope="service", service="Trees")
    assert "Why not?" not in coordinator.visit(f"{run.path}/sections/all").text
    run.answer("degree", "no")
    assert "Why not?" in coordinator.visit(f"{run.path}/sections/all").text
    run.answer("why", "Because")
    run.answer("degree", "yes")
    assert "Why not?" not in coordinator.visit(f"{run.path}/report").text


def test_answers_carry_a_note_and_evidence_and_what_was_there_before(officer: Visitor) -> None:
    run = of_project(officer, publish(officer))
    link = {"evidence-0-url": "https://bins.example/plan", "evidence-0-title": "The plan"}
    run.answer("q1", "yes", note="We met forty people.", **link)
    officer.visit(run.at("q1"))
    values = officer.form("/questions/").values
    assert values["answer"] == "yes"
    assert values["note"] == "We met forty people."
    assert values["evidence-0-url"] == "https://bins.example/plan"
    run.answer("q1", "partly", note="Only ten.")
    page = officer.visit(run.at("q1")).text
    assert "Previous versions" in page
    assert "We met forty people." in page
    assert "Changed by Ola Officer" in page


def test_another_link_is_added_without_saving_and_a_wrong_one_is_refused(officer: Visitor) -> None:
    run = of_project(officer, publish(officer))
    officer.visit(run.at("q1"))
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


def test_two_writers_lose_nothing(council: TestNode, officer: Visitor) -> None:
    run = of_project(officer, publish(officer))
    other = council.visitor("operator")
    officer.visit(run.at("q1"))
    other.visit(run.at("q1"))
    other.submit("/questions/", answer="yes", note="Theirs")
    page = officer.submit("/questions/", answer="partly", note="Mine")
    assert page.status_code == 409
    assert "Theirs" in page.text
    assert officer.form("/questions/").values["note"] == "Mine"
    assert officer.submit("/questions/").status_code == 200
    officer.visit(run.at("q1"))
    values = officer.form("/questions/").values
    assert (values["answer"], values["note"]) == ("partly", "Mine")


def test_a_run_is_finished_once_everything_is_answered_and_then_stays(officer: Visitor) -> None:
    run = of_project(officer, publish(officer))
    run.answer_all("yes", "q1", "q2", "q3", "q4")
    assert "/finish" not in officer.visit(run.path).text
    run.answer("q5", "yes")
    assert "The assessment is finished." in run.finish()
    assert "Begin a new one to answer again" in officer.visit(run.at("q1")).text


def test_a_new_run_begins_with_the_old_answers_and_both_stand_side_by_side(
    officer: Visitor,
) -> None:
    run = of_project(officer, publish(officer))
    run.answer_all("no", "q1", "q2")
    run.answer_all("yes", "q3", "q4", "q5")
    run.finish()
    again = run.again()
    assert again.token != run.token
    assert "5 of 5 answered: 3 yes, 2 no" in officer.text
    again.answer("q1", "yes")
    page = officer.visit(f"{again.path}/over-time").text
    assert "<svg" in page
    assert page.count('<rect class="checklists-bars__no"') >= 2
    row = page.partition("Is it designed around the needs")[2].partition("</tr>")[0]
    assert row.index("No") < row.index("Yes")
    assert "3 yes, 2 no" in officer.visit(run.path).text


def test_an_unfinished_run_is_deleted_and_the_one_before_counts_again(officer: Visitor) -> None:
    run = of_project(officer, publish(officer))
    run.answer_all("yes", "q1", "q2", "q3", "q4", "q5")
    run.finish()
    again = run.again()
    officer.visit(f"{again.path}/delete")
    officer.submit("/delete")
    assert officer.visit(again.path).status_code == 404
    assert "Start a new assessment" in officer.visit(run.path).text


def test_only_what_is_finished_is_shown_to_others_without_notes_and_names(
    council: TestNode, officer: Visitor
) -> None:
    token = publish(officer)
    run = of_project(officer, token)
    public = {"evidence-0-url": "https://bins.example/open", "evidence-0-title": "Open"}
    hidden = {"evidence-0-url": "https://bins.example/hidden", "evidence-0-is_private": "y"}
    run.answer("q1", "yes", note="A secret note", **public)
    run.answer("q2", "yes", **hidden)
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


def test_runs_about_the_council_or_a_service_are_for_its_people(
    council: TestNode, officer: Visitor
) -> None:
    for about in ({"scope": "council"}, {"scope": "service", "service": "Libraries"}):
        run = begin(officer, "reporting-done-right", **about)
        page, place, receipt = ("page", "place", "receipt")
        run.answer_all("yes", page, place, receipt, "back-office", "team", "updates", "done")
        run.finish()
        assert council.visitor().visit(run.path).status_code == 404
    assert "Service: Libraries" in officer.visit("/checklists/reporting-done-right").text


def test_only_those_who_may_can_answer(council: TestNode, officer: Visitor) -> None:
    run = of_project(officer, publish(officer))
    visitor = council.visitor()
    assert visitor.visit(run.at("q1")).request.path == "/sign-in"
    visitor.client.post(run.at("q1"), data={"answer": "yes", "version": "0"})
    assert "0 of 5 answered" in officer.visit(run.path).text
    assert officer.client.post(run.at("q1"), data={"answer": "yes"}).status_code == 400


def test_a_private_projects_run_is_hidden_with_it(council: TestNode, officer: Visitor) -> None:
    officer.visit("/projects/new")
    page = officer.submit(
        title="Hush", summary="S.", phase="alpha", brief="B.", visibility="private", then="publish"
    )
    run = of_project(officer, page.request.path.rpartition("/")[2])
    run.answer_all("yes", "q1", "q2", "q3", "q4", "q5")
    run.finish()
    visitor = council.visitor()
    assert visitor.visit(run.path).status_code == 404
    assert visitor.visit(f"{run.path}/report").status_code == 404
    assert "Hush" not in visitor.visit(f"/checklists/{DECLARATION}").text


def test_a_deleted_project_takes_its_runs_with_it(council: TestNode, officer: Visitor) -> None:
    token = publish(officer)
    run = of_project(officer, token)
    run.answer("q1", "no")
    officer.visit(f"/projects/{token}/delete")
    officer.submit("delete")
    assert officer.visit(run.path).status_code == 404
    with council.reading() as session:
        count = "SELECT count(*) FROM checklists__run WHERE about LIKE ?".replace(
            "?", f"'%{token}'"
        )
        assert session.connection().exec_driver_sql(count.replace("%", "%%")).scalar() == 0


def test_placeholders_are_marked_and_not_asked(council: TestNode, officer: Visitor) -> None:
    page = council.visitor().visit("/checklists/digital-best-practice").text
    assert "Question 6 is not in our source." in page
    assert page.count("Not written yet") >= 4
    run = begin(officer, "digital-best-practice")
    assert "0 of 5 answered" in officer.text
    assert officer.visit(run.at("q6")).status_code == 404


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
