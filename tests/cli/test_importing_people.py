"""The watchers and contributors of imported projects."""

import re
import time
from pathlib import Path

from sqlalchemy import select

from node.importing.models import ImportRecord
from node.mail.models import Mail
from node.notification_events.models import Watch
from node.people.models import User
from node.testing.nodes import TestNode
from tests.cli.conftest import Command
from tests.cli.test_importing import projects, write_file


def test_watchers_follow_or_are_shown_only_to_our_council(
    moothall: Command, council: TestNode, tmp_path: Path
) -> None:
    officer, stranger = council.visitor("officer"), council.visitor()
    ours = "officer@aldermoor.example"
    rows = (
        "Title,Organisation,Watchers,Contributors\n"
        f'Old pier,Aldermoor,"ann@else.example; {ours}","Bo Lee (approved)\n'
        f'Cy Ro pending cy@else.example\nDi rejected"\nNew pier,Aldermoor,,{ours} rejected\n'
    )
    result = moothall("import", "--publish", write_file(tmp_path, "pipeline.csv", rows))
    assert "5 watchers and contributors recorded with the import (1)" in result.out
    assert "@" not in result.out
    by_title = projects(council)
    assert by_title["Old pier"].details.contact_name == "Bo Lee"
    with council.reading() as session:
        assert session.scalars(select(Watch.project_id)).all() == [by_title["Old pier"].id]
        assert session.scalars(select(Mail.id)).all() == []
        assert not session.scalars(select(User.id).where(User.email.contains("else"))).all()
    path = f"/projects/{by_title['Old pier'].token}"
    page = re.sub(
        r"<[^>]*>", "", officer.visit(path).text.partition("People involved before the import")[2]
    )
    assert re.findall(r"Took part|Asked to take part|Not accepted|Watched the project", page) == [
        *("Took part", "Asked to take part", "Not accepted", "Watched the project")
    ]
    assert "4 people" in page
    assert "cy@else.example" in page
    for address in (path, f"{path}/history", "/projects.json", f"/api/v1{path}"):
        assert "else.example" not in stranger.visit(address).text, address
    officer.submit("imported-people/forget")
    assert "The details have been deleted." in officer.text
    assert "People involved before the import" not in officer.text
    rejected = f"/projects/{by_title['New pier'].token}"
    assert ours in officer.visit(rejected).text
    officer.visit(f"{rejected}/delete")
    officer.submit("/delete")
    with council.reading() as session:
        assert [each for each in session.scalars(select(ImportRecord.people)) if each] == []


def test_a_long_cell_is_parsed_quickly(
    moothall: Command, council: TestNode, tmp_path: Path
) -> None:
    cell = "x" * 130_000
    file = write_file(tmp_path, "long.csv", f"Title,Watchers\nLong,{cell}\n")
    started = time.process_time()
    assert "recorded with the import" in moothall("import", file).out
    assert time.process_time() - started < 3


def test_a_file_of_one_project(moothall: Command, council: TestNode, tmp_path: Path) -> None:
    file = "<projects><project><title>Old quay</title><status>Live</status></project></projects>"
    result = moothall("import", write_file(tmp_path, "projects.xml", file))
    assert "saved as a draft: Old quay http" in result.out
