"""Text typed into a form is stored, offered again, and deleted once the form is saved."""

import html
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import delete, func, select
from werkzeug.test import TestResponse

from node.database.tables import now
from node.people import service as people
from node.testing.nodes import PASSWORD, TestNode, role_email
from node.testing.visitor import PageForm, Visitor, parse_forms
from node.unsaved import service
from node.unsaved.models import UnsavedInput
from tests.freshness.waiting import TEXT, write
from tests.jobs.pruning import prune

TYPED = "Much was <typed> here\n\n    and there"


@pytest.fixture(autouse=True)
def _delete_stored_texts(council: TestNode) -> Iterator[None]:
    yield
    with council.work() as work:
        work.session.execute(delete(UnsavedInput))


def count_stored(council: TestNode) -> int:
    with council.reading() as session:
        return session.scalar(select(func.count(UnsavedInput.id))) or 0


def type_into(officer: Visitor, path: str, **typed: str) -> int:
    """Send what the script of a form sends while someone types; return the status."""
    officer.visit(path)
    form = next(form for form in post_forms(officer) if is_form_of(form, path))
    sent = {**form.values, **typed, "_for": path}
    return officer.client.post("/unsaved", data=sent).status_code


def post_forms(visitor: Visitor) -> list[PageForm]:
    return [form for form in parse_forms(visitor.text) if form.method == "post"]


def is_form_of(form: PageForm, path: str) -> bool:
    return form.action in {"", path} and "_continue" not in form.values


def sign_in(visitor: Visitor) -> None:
    visitor.submit("", email=role_email("officer", "aldermoor"), password=PASSWORD)


def next_path(answer: TestResponse) -> str:
    """Return the path that signing in leads to."""
    address = urlsplit(answer.headers["Location"])
    assert address.path == "/sign-in"
    return parse_qs(address.query)["next"][0]


@pytest.mark.parametrize("form", ["new", "edit", "updates/new"])
def test_unsaved_text_is_offered_again(council: TestNode, officer: Visitor, form: str) -> None:
    address = write(officer, title="To be gone on with")
    path = "/projects/new" if form == "new" else f"{address}/{form}"
    field = "changed" if form == "updates/new" else "brief"
    assert type_into(officer, path, **{field: TYPED}) == 204
    again = council.visitor("officer")
    page = again.visit(path).text
    assert "You have unsaved text on this page from" in page
    assert TYPED in [form.values.get(field) for form in post_forms(again)]
    assert "Unsaved text" in again.visit("/desk").text


def test_continuing_shows_the_text_in_the_form_and_saves_nothing(
    council: TestNode, officer: Visitor, stranger: Visitor
) -> None:
    address = write(officer, title="It stands")
    type_into(officer, f"{address}/edit", title="It moves", brief=TYPED)
    officer.visit(f"{address}/edit")
    continue_form = next(form for form in post_forms(officer) if "_continue" in form.values)
    officer.page = officer.client.post(continue_form.action, data=continue_form.values)
    assert officer.page.status_code == 200
    assert "govuk-error-summary" not in officer.text
    form = next(form for form in post_forms(officer) if "brief" in form.values)
    assert form.values["brief"].strip() == TYPED
    assert form.values["title"] == "It moves"
    assert "It stands" in stranger.visit(address).text
    officer.client.post(form.action or f"{address}/edit", data=form.values | {"phase": "alpha"})
    assert "It moves" in stranger.visit(address).text
    assert "You have unsaved text" not in officer.visit(f"{address}/edit").text


def test_unsaved_text_can_be_discarded(officer: Visitor) -> None:
    type_into(officer, "/projects/new", title="Never mind")
    officer.visit("/projects/new")
    officer.submit("discard")
    assert "The unsaved text has been discarded." in officer.text
    assert "You have unsaved text" not in officer.visit("/projects/new").text


def test_saving_deletes_the_unsaved_text(council: TestNode, officer: Visitor) -> None:
    type_into(officer, "/projects/new", title="Soon saved")
    before = count_stored(council)
    officer.visit("/projects/new")
    form = next(
        form
        for form in post_forms(officer)
        if "summary" in form.values and "_continue" not in form.values
    )
    officer.client.post("/projects/new", data=form.values | TEXT | {"then": "save"})
    assert count_stored(council) == before - 1


def test_no_one_else_reads_unsaved_text(council: TestNode, officer: Visitor) -> None:
    type_into(officer, "/projects/new", title="Only mine")
    with council.reading() as session:
        token = session.scalars(
            select(UnsavedInput.token).where(UnsavedInput.path == "/projects/new")
        ).one()
    assert "Only mine" in officer.visit(f"/unsaved/{token}").text
    operator = council.visitor("operator")
    assert operator.visit(f"/unsaved/{token}").status_code == 404
    assert "Only mine" not in operator.visit("/projects/new").text
    assert "Only mine" not in operator.visit("/desk").text


def test_an_officer_who_was_signed_out_signs_in_and_continues(
    council: TestNode, stranger: Visitor
) -> None:
    sign_in_again = council.visitor("officer")
    sign_in_again.visit("/projects/new")
    form = next(form for form in post_forms(sign_in_again) if "summary" in form.values)
    for name in list(sign_in_again.client._cookies or {}):  # the session is over
        sign_in_again.client.delete_cookie(name[2], domain=name[0], path=name[1])
    page = sign_in_again.client.post(
        form.action,
        data=form.values | {"title": "Typed for an hour", "brief": TYPED},
        follow_redirects=True,
    )
    assert "Sign in again. Your text has not been lost, but it is not saved yet." in page.text
    assert page.request.path == "/sign-in"
    sign_in_again.page = page
    sign_in(sign_in_again)
    assert "Your unsaved text" in sign_in_again.text
    assert "Typed for an hour" in sign_in_again.text
    continue_form = next(form for form in post_forms(sign_in_again) if "_continue" in form.values)
    page = sign_in_again.client.post(continue_form.action, data=continue_form.values)
    assert 'value="Typed for an hour"' in page.text
    assert html.escape(TYPED) in page.text


def test_a_form_that_expired_shows_the_text_again(officer: Visitor) -> None:
    officer.visit("/projects/new")
    officer.page = officer.client.post(
        "/projects/new", data=TEXT | {"brief": TYPED, "csrf_token": "of yesterday"}
    )
    assert officer.page.status_code == 400
    assert "Your text has not been lost, but it is not saved yet." in officer.text
    continue_form = next(form for form in post_forms(officer) if "_continue" in form.values)
    assert continue_form.values["brief"] == TYPED
    page = officer.client.post(continue_form.action, data=continue_form.values)
    assert page.status_code == 200
    assert html.escape(TYPED) in page.text


def test_continuing_never_presses_a_button(officer: Visitor) -> None:
    address = write(officer, title="Not deleted")
    answer = officer.client.post(f"{address}/delete", data={"csrf_token": "old", "name": TYPED})
    assert answer.status_code == 400
    assert "_continue" not in answer.text


@pytest.mark.parametrize("path", ["", "/", "/projects", "/nowhere", "/sign-in", "//x", "/inbox"])
def test_only_own_forms_store_text(council: TestNode, officer: Visitor, path: str) -> None:
    officer.visit("/projects/new")
    token = officer.form("discard" if "discard" in officer.text else "/projects/new").values[
        "csrf_token"
    ]
    before = count_stored(council)
    answer = officer.client.post("/unsaved", data={"csrf_token": token, "_for": path, "x": "y"})
    assert answer.status_code == 400
    assert count_stored(council) == before


def test_a_stranger_cannot_store_text(
    council: TestNode, officer: Visitor, stranger: Visitor
) -> None:
    """The form's writer field must not be missing, made up or another person's."""
    officer.visit("/projects/new")
    own = next(form for form in post_forms(officer) if "summary" in form.values)
    assert type_into(officer, "/projects/new", title="Typed before") == 204
    for writer in ("", "1", own.values["_writer"][:-2], own.values["_writer"] + "x"):
        sent = {"title": "Planted", "_writer": writer, "csrf_token": own.values["csrf_token"]}
        answer = stranger.client.post("/projects/new", data=sent)
        assert (answer.status_code, "Planted" in answer.text) == (400, False)
    assert count_stored(council) == 1
    assert "Typed before" in officer.visit("/desk").text
    assert "Planted" not in officer.text
    operator = council.visitor("operator")
    operator.visit("/projects/new")
    theirs = next(form for form in post_forms(operator) if "summary" in form.values)
    sent = {"title": "Of the operator", "_writer": theirs.values["_writer"]}
    answer = stranger.client.post("/projects/new", data=sent)
    assert officer.visit(next_path(answer)).status_code == 404
    assert "Of the operator" in operator.visit(next_path(answer)).text


def test_stored_texts_are_limited_and_pruned(council: TestNode) -> None:
    with council.work() as work:
        user = people.require_by_email(work.session, role_email("officer", "aldermoor"))
        for number in range(service.MAX_PER_PERSON + 2):
            service.store(work, user, f"/projects/{number}/edit", [("title", f"{number}")])
    assert count_stored(council) == service.MAX_PER_PERSON
    with council.work() as work:
        for row in work.session.scalars(select(UnsavedInput)):
            row.at = now() - service.MAX_AGE - timedelta(days=1)
    prune(council)
    assert count_stored(council) == 0


def test_a_text_that_is_too_long_is_not_stored(council: TestNode, officer: Visitor) -> None:
    assert type_into(officer, "/projects/new", brief="x" * 500_000) == 400
