"""Checklists as visitors and officers meet them: through the pages of a whole node."""

from pathlib import Path

import pytest

from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor
from plugins.checklists.definitions import read, shipped

DECLARATION = "local-digital-declaration"


@pytest.fixture
def council(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


def publish(officer: Visitor, title: str = "Bins in one step") -> str:
    """Publish a project; returns its token."""
    officer.visit("/projects/new")
    page = officer.submit(
        title=title, summary="Know when.", phase="alpha", brief="Why.", then="publish"
    )
    assert page.status_code == 200, page.text
    return page.request.path.rpartition("/")[2]


def address(token: str) -> str:
    return f"/checklists/{DECLARATION}/projects/{token}"


def test_everybody_can_read_the_checklists(council: TestNode) -> None:
    page = council.visitor().visit("/checklists")
    assert page.status_code == 200
    for question in shipped()[DECLARATION].questions:
        assert question.text in page.text
    assert "Ministry of Housing, Communities and Local Government" in page.text


def test_the_menu_leads_to_the_checklists(council: TestNode) -> None:
    assert 'href="/checklists"' in council.visitor().visit("/projects").text


def test_progress_is_on_the_projects_page(council: TestNode) -> None:
    officer = council.visitor("officer")
    token = publish(officer)
    assert "0 of 5 answered" in officer.text
    officer.visit(address(token))
    page = officer.submit(q1="yes", q2="yes", q4="partly")
    assert page.request.path == f"/projects/{token}"
    assert "Your answers are saved." in page.text
    assert "3 of 5 answered: 2 yes, 1 partly" in page.text
    assert "3 of 5 answered: 2 yes, 1 partly" in council.visitor().visit(f"/projects/{token}").text


def test_answers_can_be_changed(council: TestNode) -> None:
    officer = council.visitor("officer")
    token = publish(officer)
    officer.visit(address(token))
    officer.submit(q1="yes", q2="partly")
    officer.visit(address(token))
    values = officer.form().values
    assert {key: values.get(key) for key in ("q1", "q2", "q3")} == {
        "q1": "yes",
        "q2": "partly",
        "q3": None,
    }
    assert "2 of 5 answered: 1 yes, 1 no" in officer.submit(q2="no").text


def test_every_change_is_in_the_audit_log_once(council: TestNode) -> None:
    officer = council.visitor("officer")
    token = publish(officer)
    for _ in range(2):
        officer.visit(address(token))
        officer.submit(q1="yes")
    with council.reading() as session:
        rows = session.connection().exec_driver_sql(
            "SELECT subject FROM audit_entry WHERE action = 'checklists.answer'"
        )
        subjects = rows.scalars().all()
    assert len(subjects) == 1
    assert subjects[0].endswith(f"/projects/{token}")


def test_nothing_chosen_is_an_error_that_leads_to_the_first_question(council: TestNode) -> None:
    officer = council.visitor("officer")
    token = publish(officer)
    officer.visit(address(token))
    page = officer.submit()
    assert page.status_code == 400
    assert "There is a problem" in page.text
    assert '<a href="#q1">Select an answer to at least one question</a>' in page.text
    assert 'id="q1"' in page.text


def test_another_answer_is_refused_and_the_rest_stays(council: TestNode) -> None:
    officer = council.visitor("officer")
    token = publish(officer)
    officer.visit(address(token))
    page = officer.submit(q1="yes", q2="perhaps")
    assert page.status_code == 400
    assert '<a href="#q2">Select yes, partly or no</a>' in page.text
    assert officer.form().values["q1"] == "yes"
    assert "0 of 5 answered" in officer.visit(f"/projects/{token}").text


def test_only_those_who_may_can_answer(council: TestNode) -> None:
    token = publish(council.visitor("officer"))
    visitor = council.visitor()
    assert address(token) not in visitor.visit(f"/projects/{token}").text
    assert visitor.visit(address(token)).request.path == "/sign-in"
    posted = visitor.client.post(address(token), data={"q1": "yes"})
    assert posted.status_code in {302, 400}
    assert "0 of 5 answered" in visitor.visit(f"/projects/{token}").text


def test_a_form_from_elsewhere_is_refused(council: TestNode) -> None:
    officer = council.visitor("officer")
    token = publish(officer)
    assert officer.client.post(address(token), data={"q1": "yes"}).status_code == 400
    assert "0 of 5 answered" in officer.visit(f"/projects/{token}").text


@pytest.mark.parametrize("missing", ["/checklists/none/projects/{}", address("none") + "{}"])
def test_what_is_not_there_is_not_found(council: TestNode, missing: str) -> None:
    officer = council.visitor("officer")
    token = publish(officer)
    assert officer.visit(missing.format(token)).status_code == 404


def test_a_deleted_project_takes_its_answers_with_it(council: TestNode) -> None:
    officer = council.visitor("officer")
    gone, kept = publish(officer), publish(officer, "Another")
    for token in (gone, kept):
        officer.visit(address(token))
        officer.submit(q1="yes")
    officer.visit(f"/projects/{gone}/delete")
    officer.submit("delete")
    assert officer.visit(address(gone)).status_code == 410
    with council.reading() as session:
        rows = session.connection().exec_driver_sql("SELECT project_uri FROM checklists__answer")
        (uri,) = rows.scalars().all()
    assert uri.endswith(kept)


def test_answers_about_a_project_of_another_council_go_when_it_goes(nodes: Nodes) -> None:
    here, there = nodes.pair()
    reader = there.visitor("officer")
    reader.visit("/councils/follow")
    reader.submit("follow", address=here.address)
    nodes.settle()
    writer = here.visitor("officer")
    token = publish(writer)
    nodes.settle()
    with there.reading() as session:
        tokens = session.connection().exec_driver_sql("SELECT token FROM project").scalars().all()
    reader.visit(address(tokens[0]))
    assert "1 of 5 answered: 1 yes" in reader.submit(q1="yes").text
    writer.visit(f"/projects/{token}/delete")
    writer.submit("delete")
    nodes.settle()
    with there.reading() as session:
        rows = session.connection().exec_driver_sql("SELECT * FROM checklists__answer")
        assert rows.all() == []


@pytest.mark.parametrize(
    "text, says",
    [
        ("title: [", "is not a checklist"),
        ("just words", "is not a checklist"),
        ("title: A", "is not a checklist"),
        (b"\xff", "is not a checklist"),
        ("{head}\nquestions: []", "questions with ids of their own"),
        ("{head}\nquestions: [{{id: data, text: T, guidance: G}}]", "questions with ids"),
        ("{head}\nquestions: [{q}, {q}]", "questions with ids of their own"),
        ("{head}\nquestions: [{q}]\nsurprise: 1", "is not a checklist"),
    ],
)
def test_a_definition_that_is_not_well_formed_is_refused(
    tmp_path: Path, text: str | bytes, says: str
) -> None:
    path = tmp_path / "mine.yaml"
    head = "title: A\nabout: B\nlicence: MIT\nsource: {title: T, publisher: P, year: 1, url: U}"
    if isinstance(text, bytes):
        path.write_bytes(text)
    else:
        path.write_text(text.format(head=head, q="{id: q1, text: T, guidance: G}"))
    with pytest.raises(ValueError, match=f"mine.yaml .*{says}"):
        read(path)
