"""The editor: drafts, publishing versions, importing and exporting."""

from node.testing.nodes import TestNode
from node.testing.visitor import Visitor
from plugins.checklists.tests.conftest import DECLARATION, begin

EDIT = "/checklists/open-data/edit"


def write(visitor: Visitor, path: str, **fields: str) -> str:
    visitor.visit(path)
    return visitor.submit("/edit/", **fields).text


def arrange(visitor: Visitor, path: str, kind: str, item_id: str, action: str) -> str:
    visitor.visit(path)
    edition = visitor.text.partition('name="edition" value="')[2].partition('"')[0]
    token = visitor.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    data = {"kind": kind, "item": item_id, "deed": action, "edition": edition, "csrf_token": token}
    return visitor.client.post(f"{path}/arrange", data=data, follow_redirects=True).text


def publish(visitor: Visitor, path: str) -> str:
    visitor.visit(f"{path}/publish")
    return visitor.submit("/publish").text


def test_checklist_is_written_published_and_answered(
    council: TestNode, coordinator: Visitor
) -> None:
    coordinator.visit("/checklists/new")
    assert (
        "This ID is not available. Enter a different one."
        in coordinator.submit("/new", title="T", id=DECLARATION).text
    )
    coordinator.submit("/new", title="Open data", id="open-data")
    assert coordinator.page.request.path == EDIT
    assert "You cannot publish this draft yet:" in coordinator.text
    write(
        coordinator, f"{EDIT}/about",
        title_cy="Data agored", about_en="Is your data open?", source_title="Ours", licence="MIT",
    )  # fmt: skip
    write(coordinator, f"{EDIT}/sections/new", title_en="Publishing", title_cy="Cyhoeddi")
    write(coordinator, f"{EDIT}/sections/s1/new", text_en="Is it published?", text_cy="A yw allan?")
    coordinator.visit(f"{EDIT}/sections/s1/new")
    coordinator.submit("/edit/", type="choice", add="options")
    options = {"options-0-en": "CSV", "options-1-en": "JSON", "options-1-cy": "JSON"}
    coordinator.submit("/edit/", text_en="In which format?", type="choice", **options)
    write(
        coordinator, f"{EDIT}/sections/s1/new",
        text_en="Why not?", type="text", shown_question="q1", shown_answers="no, partly",
    )  # fmt: skip
    assert "Asked when q1 is no, partly" in coordinator.text
    arrange(coordinator, EDIT, "question", "q3", "up")
    assert "Version 1 has been published." in publish(coordinator, EDIT)
    assert "Data agored" in council.visitor().visit("/checklists/open-data?lang=cy").text
    run = begin(coordinator, "open-data")
    assert "0 of 2 answered" in coordinator.text
    run.answer("q1", "no")
    assert "Why not?" in coordinator.visit(f"{run.path}/sections/s1").text


def test_errors_are_shown_and_input_is_kept(coordinator: Visitor) -> None:
    coordinator.visit("/checklists/new")
    coordinator.submit("/new", title="Wrong", id="wrong")
    page = write(coordinator, "/checklists/wrong/edit/sections/new", about_en="Kept")
    assert "Enter the English version" in page
    assert coordinator.form("/edit/").values["about_en"] == "Kept"
    coordinator.visit("/checklists/wrong/edit/publish")
    assert "about.en: This is missing" in coordinator.text


def test_concurrent_edits_conflict_without_loss(council: TestNode, coordinator: Visitor) -> None:
    coordinator.visit("/checklists/new")
    coordinator.submit("/new", title="Twice", id="twice")
    other_coordinator = council.visitor("operator")
    for visitor in (coordinator, other_coordinator):
        visitor.visit("/checklists/twice/edit/about")
    coordinator.submit("/edit/", about_en="First")
    page = other_coordinator.submit("/edit/", about_en="Second")
    assert page.status_code == 409
    assert other_coordinator.form("/edit/").values["about_en"] == "Second"


def test_run_is_switched_to_new_version(coordinator: Visitor) -> None:
    run = begin(coordinator)
    run.answer("q1", "yes", note="Before")
    run.answer("q2", "yes")
    edit = f"/checklists/{DECLARATION}/edit"
    coordinator.visit(f"/checklists/{DECLARATION}")
    coordinator.submit("/edit")
    write(coordinator, f"{edit}/sections/services/q1", text_en="Is it about its users?")
    arrange(coordinator, edit, "question", "q2", "remove")
    write(coordinator, f"{edit}/sections/services/new", text_en="Is it cheap?")
    page = coordinator.visit(f"{edit}/publish").text
    assert page.index("Reworded") < page.index("New question") < page.index("No longer asked")
    coordinator.submit("/publish")

    page = coordinator.visit(run.path).text
    assert ("This assessment uses version 1 of the checklist. Version 2 is available.") in page
    assert "2 of 5 answered" in page
    assert "Is it cheap?" in coordinator.visit(f"{run.path}/version").text
    page = coordinator.submit("/version").text
    assert "1 answer no longer fits." in page
    assert "1 of 5 answered: 1 yes" in page
    coordinator.visit(run.question_path("q1"))
    values = coordinator.form("/questions/").values
    assert (values["answer"], values["note"]) == ("yes", "Before")
    assert "q6" in coordinator.visit(f"/checklists/{DECLARATION}/file").text
    assert "Is it cheap?" in coordinator.visit(f"/checklists/{DECLARATION}/versions").text


def test_coordinator_writes_placeholder(council: TestNode, coordinator: Visitor) -> None:
    edit = "/checklists/digital-best-practice/edit"
    coordinator.visit("/checklists/digital-best-practice")
    coordinator.submit("/edit")
    path = f"{edit}/sections/not-sourced/q6"
    coordinator.visit(path)
    form = coordinator.form("/edit/")
    fields = {name: value for name, value in form.values.items() if name != "is_text_missing"}
    coordinator.client.post(path, data=fields | {"text_en": "Are your data open?"})
    publish(coordinator, edit)
    run = begin(coordinator, "digital-best-practice", scope="service", service="Data")
    assert "0 of 6 answered" in coordinator.text
    run.answer("q6", "yes")


def test_export_and_import(coordinator: Visitor) -> None:
    response = coordinator.visit("/checklists/service-standard/file")
    assert response.mimetype == "application/yaml"
    for number in ("0", "-1", "9" * 20):
        other_version = coordinator.client.get(
            f"/checklists/service-standard/file?version={number}"
        )
        assert other_version.status_code == (200 if number == "0" else 404)
    text = response.text.replace("id: service-standard", "id: our-standard")
    coordinator.visit("/checklists/import")
    coordinator.submit("/import", text=text)
    assert coordinator.page.request.path == "/checklists/our-standard/edit"
    assert "Version 1 has been published." in publish(coordinator, "/checklists/our-standard/edit")
    coordinator.visit("/checklists/import")
    page = coordinator.submit("/import", text="id: x\nid: y")
    assert page.status_code == 400
    assert "line 2: This key is used twice" in page.text
    assert coordinator.form("/import").values["text"].strip() == "id: x\nid: y"


def test_editing_requires_coordinator(council: TestNode, officer: Visitor) -> None:
    for path in ("/checklists/new", "/checklists/import", f"{EDIT}/about"):
        assert officer.visit(path).status_code == 403
        assert council.visitor().visit(path).request.path == "/sign-in"
    assert "/checklists/new" not in officer.visit("/checklists").text
