"""Who watched a project in the old Pipeline, and who took part in it."""

import re
import time
from pathlib import Path

from sqlalchemy import select

from node.events.models import Watch
from node.importing.models import ImportRecord
from node.mail.models import Mail
from node.people.models import User
from node.testing.nodes import TestNode
from tests.cli.conftest import Command
from tests.cli.test_importing import projects, written


def test_who_was_there_before_follows_or_is_shown_to_our_own_people_alone(
    moothall: Command, council: TestNode, tmp_path: Path
) -> None:
    officer, stranger = council.visitor("officer"), council.visitor()
    ours = "officer@aldermoor.example"
    rows = (
        "Title,Organisation,Watchers,Contributors\n"
        f'Old pier,Aldermoor,"ann@else.example; {ours}","Bo Lee (approved)\n'
        f'Cy Ro pending cy@else.example\nDi rejected"\nNew pier,Aldermoor,,{ours} rejected\n'
    )
    said = moothall("import", "--publish", written(tmp_path, "pipeline.csv", rows))
    assert "5 watchers and contributors kept with the import (1)" in said.out
    assert "@" not in said.out
    found = projects(council)
    assert found["Old pier"].details.contact_name == "Bo Lee"
    with council.reading() as session:
        assert session.scalars(select(Watch.project_id)).all() == [found["Old pier"].id]
        assert session.scalars(select(Mail.id)).all() == []
        assert not session.scalars(select(User.id).where(User.email.contains("else"))).all()
    path = f"/projects/{found['Old pier'].token}"
    page = re.sub(
        r"<[^>]*>", "", officer.visit(path).text.partition("People involved before the import")[2]
    )
    assert re.findall(r"Took part|Asked to take part|Was not let in|Watched it", page) == [
        *("Took part", "Asked to take part", "Not accepted", "Watched the project")
    ]
    assert "4 people" in page
    assert "cy@else.example" in page
    for address in (path, f"{path}/history", "/projects.json", f"/api/v1{path}"):
        assert "else.example" not in stranger.visit(address).text, address
    officer.submit("imported-people/forget")
    assert "The details are deleted." in officer.text
    assert "People involved before the import" not in officer.text
    rejected = f"/projects/{found['New pier'].token}"
    assert ours in officer.visit(rejected).text
    officer.visit(f"{rejected}/delete")
    officer.submit("/delete")
    with council.reading() as session:
        assert [each for each in session.scalars(select(ImportRecord.people)) if each] == []


def test_a_cell_of_any_length_is_read_in_no_time(
    moothall: Command, council: TestNode, tmp_path: Path
) -> None:
    cell = "x" * 130_000
    file = written(tmp_path, "long.csv", f"Title,Watchers\nLong,{cell}\n")
    started = time.process_time()
    assert "kept with the import" in moothall("import", file).out
    assert time.process_time() - started < 3


def test_every_project_of_a_file_is_one(
    moothall: Command, council: TestNode, tmp_path: Path
) -> None:
    file = "<projects><project><title>Old quay</title><status>Live</status></project></projects>"
    said = moothall("import", written(tmp_path, "projects.xml", file))
    assert "saved as a draft: Old quay http" in said.out
