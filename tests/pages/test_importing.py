"""Officers import projects: from a file, and from a repository's address."""

import threading
import time
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise

import pytest
from flask import Flask, Response
from sqlalchemy import func, select

from node.audit import AuditEntry
from node.messages import msg
from node.outbound.errors import OutboundError, OutboundErrorCode
from node.principal import Principal
from node.projects.models import Project
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor
from tests.cli.test_importing import BIN, CIVIC, PIPELINE_CSV

PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


def _inside(*_request: object) -> list[bytes]:
    """A name that resolves to an internal address: the client refuses it."""
    raise OutboundError(OutboundErrorCode.FORBIDDEN_ADDRESS, msg("It is inside."))


@pytest.fixture(scope="module")
def hub(lasting_nodes: Nodes) -> Iterator[list[str]]:
    """Repository servers. Yields the paths requested from them."""
    requested: list[str] = []
    hub = Flask("hub")

    @hub.get("/<path:path>")
    def file(path: str) -> Response:
        requested.append(path)
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
    lasting_nodes.apps["inside.council.test"] = _inside
    yield requested
    for host in (*hosts, "inside.council.test"):
        del lasting_nodes.apps[host]


# The same for unknown and internal names, so that the page does not reveal which names exist.
NO_ANSWER = (
    "The file could not be fetched. Nothing could be read at that address. "
    "Enter the public name of a server that responds."
)


def upload(
    officer: Visitor, name: str, content: str | bytes, *, source: str = "", visited: bool = False
) -> None:
    """Select a file and continue."""
    if not visited:
        officer.visit("/projects/import")
    form = officer.form("/projects/import")
    data = content.encode() if isinstance(content, str) else content
    officer.page = officer.client.post(
        form.action,
        data=form.values | {"file": (BytesIO(data), name), "source": source},
        content_type="multipart/form-data",
    )
    officer.page.request.environ["wsgi.input"].close()  # a long one is in a file


def look_up(officer: Visitor, address: str) -> None:
    officer.visit("/projects/import")
    officer.submit("/projects/import", address=address)


def count(council: TestNode) -> int:
    with council.reading() as session:
        return session.scalar(select(func.count()).select_from(Project)) or 0


def test_a_file_is_previewed_and_then_saved(council: TestNode, officer: Visitor) -> None:
    before = count(council)
    upload(officer, "publiccode.yml", BIN)
    assert "Check what will be imported" in officer.text
    assert "Mair Puw" in officer.text
    assert "not imported: type" in officer.text
    assert count(council) == before
    officer.submit("save")
    assert "saved as a draft" in officer.text
    assert "Bin days" in officer.text
    assert count(council) == before + 1
    upload(officer, "publiccode.yml", BIN)
    officer.submit("save")
    assert "The project already exists, and nothing has changed." in officer.text
    assert count(council) == before + 1


def test_missing_information_is_entered_by_hand(officer: Visitor) -> None:
    upload(officer, "civic.json", '{"status": "Beta", "tags": ["todo"], "type": "Website"}')
    assert "Missing information" in officer.text
    officer.submit("save", title="Somebody might")
    assert officer.page.status_code == 400
    assert "Enter a summary of what the project is for" in officer.text
    assert "Somebody might" in officer.text
    officer.submit("save", summary="Says who might.")
    assert "saved as a draft" in officer.text
    assert "Somebody might" in officer.text


def test_many_projects_in_one_file(council: TestNode, officer: Visitor) -> None:
    before = count(council)
    upload(officer, "PipelineReports.csv", PIPELINE_CSV)
    assert "2 projects were found." in officer.text
    ours, _, others = officer.text.partition("Projects from other organisations")
    assert "Elsewhere" not in ours
    assert "They are not imported unless you select them." in others
    assert "Brackwell Council" in others
    assert "Elsewhere" in others
    officer.submit("save")
    assert "2 of 2 projects have been saved as new drafts." in officer.text
    assert count(council) == before + 2
    upload(officer, "PipelineReports.csv", PIPELINE_CSV)
    assert officer.text.count("Already exists, and is the same") == 2
    officer.submit("save", organisations="Brackwell Council")
    assert "1 of 3 projects have been saved as new drafts." in officer.text
    assert count(council) == before + 3


def test_a_file_with_only_projects_of_others(council: TestNode, officer: Visitor) -> None:
    before = count(council)
    upload(officer, "a.csv", "Title,Summary,Council\nTheirs,S,Cray Valley\nToo,S,Cray Valley\n")
    assert "Cray Valley" in officer.text
    officer.submit("save")
    assert officer.page.status_code == 400
    assert "The file has no projects from Aldermoor Council, only from Cray Valley." in officer.text
    assert count(council) == before
    officer.submit("save", organisations="Cray Valley")
    assert "2 of 2 projects have been saved as new drafts." in officer.text


def test_existing_projects_change_only_on_request(council: TestNode, officer: Visitor) -> None:
    table = "ID,Title,Summary\n1,Tree {0},S\n2,Hedges,S\n"
    upload(officer, "a.csv", table.format("roots"), source="Trees")
    officer.submit("save")
    before = count(council)
    upload(officer, "b.csv", table.format("tops"), source="Trees")
    assert "1 existing project would change" in officer.text
    assert "Already exists, but is different" in officer.text
    officer.submit("save")
    assert "Tree roots" in officer.visit("/projects/drafts").text
    upload(officer, "b.csv", table.format("tops"), source="Trees")
    officer.submit("save", update="y")
    assert "1 project has been changed." in officer.text
    assert "Tree tops" in officer.text
    assert "Tree roots" not in officer.text
    assert count(council) == before


def html(text: str) -> str:
    cell = f"<title>x</title><description><![CDATA[{text}]]></description>"
    return f"<r><p>{cell}</p></r>"


HOSTILE = {
    "lists.xml": html("<ul><li>" * 25_000),
    "definitions.xml": html("<dl><dt>" * 25_000),
    "pre.xml": html("<pre>" * 40_000),
    "sequence.md": "---\ntitle: [" + "a," * 500_000 + "]\n---\nB",
    "keys.md": "---\n" + "".join(f"k{n}: 1\n" for n in range(95_000)) + "---\nB",
    "brackets.csv": "Title,Description\n" + f"a,{'[' * 2_000}\n" * 500,
    "updates.xml": "<r><p><title>x</title><updates><![CDATA["
    + "<a><table>" * 90_000
    + "]]></updates></p></r>",
    "columns.csv": "Title" + ",a" * 60_000 + "\n" + "x" + ",b" * 60_000,
    "digits.csv": f"title,budget\nx,{'1' * 5_000}-2k\n",
    "half.json": '{"status": "Beta", "tags": ["\\ud800"], "name": "x"}',
}
# CPU time for the preview of a hostile file: many times what it takes.
MAX_SECONDS = 5.0


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_takes_little_time_and_blocks_no_writer(
    council: TestNode, officer: Visitor, name: str
) -> None:
    officer.visit("/projects/import")
    started = time.process_time()
    with council.work() as writing:
        # Another write would wait for this one, and fail.
        writing.audit("test", "somebody else writes")
        writing.session.flush()
        upload(officer, name, HOSTILE[name], visited=True)
    assert officer.page.status_code in {200, 400}, officer.text
    assert time.process_time() - started < MAX_SECONDS


def test_others_write_while_many_projects_are_saved(council: TestNode, officer: Visitor) -> None:
    rows = "".join(f'Lamp {n},"<p>Lights <b>{n}</b>.</p>"\n' for n in range(150))
    upload(officer, "lamps.csv", f"Title,Description\n{rows}")
    is_over = threading.Event()
    failures: list[Exception] = []

    def write() -> None:
        while not is_over.is_set():
            try:
                with council.node.work(by=Principal.job("somebody else")) as work:
                    work.audit("test", "another")
            except Exception as error:  # noqa: BLE001 -- whatever it is
                failures.append(error)

    other = threading.Thread(target=write)
    other.start()
    try:
        officer.submit("save")
    finally:
        is_over.set()
        other.join()
    assert "150 of 150 projects have been saved as new drafts." in officer.text
    assert failures == []
    with council.reading() as session:
        entries = session.scalars(select(AuditEntry.by).order_by(AuditEntry.id)).all()
    turns = [by == "somebody else" for by in entries]
    portions = sum(before and not after for before, after in pairwise(turns))
    assert portions >= 2, "it was written in portions, and somebody else between them"


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("civic.json", b"{,}", "not valid JSON: line 1"),
        ("a.yml", b"publiccodeYmlVersion: \xff", "not UTF-8"),
        ("big.csv", b"x" * 1_200_000, "The file must be 1024KB or smaller."),
        (
            "<b>.txt",
            b"words",
            "The file must be publiccode.yml, civic.json, CSV, Pipeline XML or Markdown.",
        ),
    ],
)
def test_an_invalid_file_is_refused(
    officer: Visitor, name: str, content: bytes, words: str
) -> None:
    upload(officer, name, content)
    assert officer.page.status_code == 400
    assert "There is a problem" in officer.text
    assert words in officer.text


def test_neither_file_nor_address(officer: Visitor) -> None:
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
    assert "Check what will be imported" in officer.text


@pytest.mark.parametrize(
    "address, words",
    [
        ("https://github.com/example/none", "no publiccode.yml or civic.json at that address"),
        ("https://git.council.test/page/publiccode.yml", "no publiccode.yml or civic.json"),
        ("https://127.0.0.1/a/b", NO_ANSWER),
        ("https://inside.council.test/a/b", NO_ANSWER),
        ("http://git.council.test/a/b", "Only https addresses"),
        ("https://localhost:8080/a/publiccode.yml", "Only the standard https port can be used."),
        ("file:///etc/passwd", "Enter the address of a repository"),
        ("https://git.council.test", "Enter the address of a repository"),
        ("https://user:secret@git.council.test/a", "Enter the address of a repository"),
        ("a b", "Enter the address of a repository"),
        ("https://unknown.test/a/b", NO_ANSWER),
    ],
)
def test_an_invalid_address_is_refused(
    hub: list[str], officer: Visitor, address: str, words: str
) -> None:
    look_up(officer, address)
    assert officer.page.status_code == 400
    assert words in officer.text
    assert officer.form("/projects/import").values["address"] == address


def test_only_officers_import(stranger: Visitor) -> None:
    stranger.visit("/projects/import")
    assert "Sign in to see this page" in stranger.text


def test_a_preview_without_its_file(officer: Visitor) -> None:
    upload(officer, "publiccode.yml", BIN)
    officer.submit("save", content="%%%")
    assert "We no longer have the file. Select it again." in officer.text
