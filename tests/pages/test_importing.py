"""Officers import projects: from a file, and from a repository's address."""

from collections.abc import Iterator
from io import BytesIO

import pytest
from flask import Flask, Response
from sqlalchemy import func, select

from node.projects.models import Project
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor
from tests.cli.test_importing import BIN, CIVIC, PIPELINE_CSV

PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


@pytest.fixture(scope="module")
def hub(lasting_nodes: Nodes) -> Iterator[list[str]]:
    """Servers of repositories; what was asked of them."""
    asked: list[str] = []
    hub = Flask("hub")

    @hub.get("/<path:path>")
    def file(path: str) -> Response:
        asked.append(path)
        if path in {"example/bins/HEAD/publiccode.yml", "group/sub/bins/-/raw/HEAD/publiccode.yml"}:
            return Response(BIN, headers=PLAIN)
        if path == "example/should/HEAD/civic.json":
            return Response(CIVIC, headers=PLAIN)
        if path == "page/publiccode.yml":
            return Response("<html>", headers={"Content-Type": "text/html"})
        return Response("404", 404, headers=PLAIN)

    hosts = ("raw.githubusercontent.com", "git.council.test")
    for host in hosts:
        lasting_nodes.apps[host] = hub.wsgi_app
    yield asked
    for host in hosts:
        del lasting_nodes.apps[host]


def upload(officer: Visitor, name: str, content: str | bytes) -> None:
    """Choose a file and go on."""
    officer.visit("/projects/import")
    form = officer.form("/projects/import")
    data = content.encode() if isinstance(content, str) else content
    officer.page = officer.client.post(
        form.action,
        data=form.values | {"file": (BytesIO(data), name)},
        content_type="multipart/form-data",
    )
    officer.page.request.environ["wsgi.input"].close()  # a long one is in a file


def look_up(officer: Visitor, address: str) -> None:
    officer.visit("/projects/import")
    officer.submit("/projects/import", address=address)


def count(council: TestNode) -> int:
    with council.reading() as session:
        return session.scalar(select(func.count()).select_from(Project)) or 0


def test_a_file_is_looked_at_and_then_saved(council: TestNode, officer: Visitor) -> None:
    before = count(council)
    upload(officer, "publiccode.yml", BIN)
    assert "Check what was read" in officer.text
    assert "Mair Puw" in officer.text
    assert "not used: type" in officer.text
    assert count(council) == before
    officer.submit("save")
    assert "saved as a draft" in officer.text
    assert "Bin days" in officer.text
    assert count(council) == before + 1
    upload(officer, "publiccode.yml", BIN)
    officer.submit("save")
    assert "imported before, and nothing has changed" in officer.text
    assert count(council) == before + 1


def test_what_a_file_does_not_say_is_written(officer: Visitor) -> None:
    upload(officer, "civic.json", '{"status": "Beta", "tags": ["todo"], "type": "Website"}')
    assert "What is missing" in officer.text
    officer.submit("save", title="Somebody might")
    assert officer.page.status_code == 400
    assert "Enter one sentence on what the project is for" in officer.text
    assert "Somebody might" in officer.text
    officer.submit("save", summary="Says who might.")
    assert "saved as a draft" in officer.text
    assert "Somebody might" in officer.text


def test_many_projects_in_one_file(council: TestNode, officer: Visitor) -> None:
    before = count(council)
    upload(officer, "PipelineReports.csv", PIPELINE_CSV)
    assert "2 projects were found." in officer.text
    assert "Elsewhere" not in officer.text
    officer.submit("save")
    assert "2 of 2 projects are new drafts." in officer.text
    assert count(council) == before + 2


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("civic.json", b"{,}", "not valid JSON: line 1"),
        ("a.yml", b"publiccodeYmlVersion: \xff", "not UTF-8"),
        ("big.csv", b"x" * 1_200_000, "larger than 1024 KB"),
        ("<b>.txt", b"words", "none of the formats"),
    ],
)
def test_a_file_that_is_no_good(officer: Visitor, name: str, content: bytes, words: str) -> None:
    upload(officer, name, content)
    assert officer.page.status_code == 400
    assert "There is a problem" in officer.text
    assert words in officer.text


def test_nothing_chosen(officer: Visitor) -> None:
    officer.visit("/projects/import")
    officer.submit("/projects/import")
    assert officer.page.status_code == 400
    assert "Select a file, or enter the address of a repository" in officer.text


@pytest.mark.parametrize(
    "address, title",
    [
        ("https://github.com/example/bins", "Bin days"),
        ("github.com/example/bins.git", "Bin days"),
        ("https://github.com/example/bins/tree/main/src", "Bin days"),
        ("https://github.com/example/should/", "Somebody should"),
        ("https://git.council.test/group/sub/bins", "Bin days"),
        ("https://raw.githubusercontent.com/example/bins/HEAD/publiccode.yml", "Bin days"),
        ("https://github.com/example/bins/blob/HEAD/publiccode.yml", "Bin days"),
    ],
)
def test_a_repository_by_its_address(
    hub: list[str], officer: Visitor, address: str, title: str
) -> None:
    look_up(officer, address)
    assert officer.page.status_code == 200, officer.text
    assert title in officer.text
    assert "Check what was read" in officer.text


@pytest.mark.parametrize(
    "address, words",
    [
        ("https://github.com/example/none", "no publiccode.yml or civic.json at that address"),
        ("https://git.council.test/page/publiccode.yml", "no publiccode.yml or civic.json"),
        ("https://127.0.0.1/a/b", "Servers are reached by name"),
        ("http://git.council.test/a/b", "Only https addresses"),
        ("https://localhost:8080/a/publiccode.yml", "Only the usual port"),
        ("file:///etc/passwd", "Enter the address of a repository"),
        ("https://git.council.test", "Enter the address of a repository"),
        ("https://user:secret@git.council.test/a", "Enter the address of a repository"),
        ("a b", "Enter the address of a repository"),
        ("https://unknown.test/a/b", "name is not known"),
    ],
)
def test_an_address_that_is_no_good(
    hub: list[str], officer: Visitor, address: str, words: str
) -> None:
    look_up(officer, address)
    assert officer.page.status_code == 400
    assert words in officer.text
    assert officer.form("/projects/import").values["address"] == address


def test_only_officers_import(stranger: Visitor) -> None:
    stranger.visit("/projects/import")
    assert "Sign in to see this page" in stranger.text


def test_a_page_that_lost_its_file(officer: Visitor) -> None:
    upload(officer, "publiccode.yml", BIN)
    officer.submit("save", content="%%%")
    assert "The file was lost on the way" in officer.text
