"""What a project said before: who may read it, what changed in words, and going back."""

import html
import re

import pytest
from sqlalchemy import func, select

from node.history.text_diff import DiffKind, diff_texts
from node.projects.models import ProjectVersion
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor
from tests.freshness.waiting import write


def change(officer: Visitor, address: str, **typed: str) -> None:
    officer.visit(f"{address}/edit")
    page = officer.submit(f"{address}/edit", **typed)
    assert page.status_code == 200, page.text


def versions(reader: Visitor, address: str) -> list[int]:
    """The versions that are listed, newest first."""
    page = reader.visit(f"{address}/history").text
    return [int(each) for each in re.findall(r">Version (\d+)</a>", page)]


def test_each_change_is_a_version_with_what_changed(officer: Visitor, stranger: Visitor) -> None:
    address = write(officer, title="As it began")
    change(officer, address, title="As it went on", phase="beta")
    page = stranger.visit(f"{address}/history").text
    assert versions(stranger, address) == [3, 2]
    assert "Changed: Project name, Phase." in page
    assert "Ola Officer" not in page
    assert "Ola Officer" in officer.visit(f"{address}/history").text
    assert versions(officer, address) == [3, 2, 1]


def test_what_did_not_change_is_no_version(officer: Visitor) -> None:
    address = write(officer, title="Still")
    change(officer, address)
    assert versions(officer, address) == [2, 1]


def test_a_comparison_shows_each_word_and_says_what_it_is(
    officer: Visitor, stranger: Visitor
) -> None:
    address = write(officer, title="Words", brief="We <b>empty</b> the green bins.")
    change(officer, address, brief="We <b>empty</b> the brown bins.", phase="live")
    page = stranger.visit(f"{address}/history/compare?from=2&to=3").text
    plain = html.unescape(re.sub(r"<[^>]+>", "", page))
    assert "removed: green" in plain
    assert "added: brown" in plain
    assert re.search(r"<del>.*green.*</del>", page)
    assert re.search(r"<ins>.*brown.*</ins>", page)
    assert "<b>empty</b> the" in plain
    assert "removed: Alpha" in plain
    assert "added: Live" in plain
    assert "Summary" not in page
    turned = stranger.visit(f"{address}/history/compare?from=3&to=2").text
    assert "added: brown" in html.unescape(re.sub(r"<[^>]+>", "", turned))


@pytest.mark.parametrize(
    "asked", ["", "?from=1", "?from=x&to=y", "?from=-1&to=2", "?from=1&to=99", f"?from={9**99}"]
)
def test_versions_that_are_none_are_not_found(officer: Visitor, asked: str) -> None:
    address = write(officer, title="Nothing there")
    assert officer.visit(f"{address}/history/compare{asked}").status_code == 404


def test_others_see_only_what_they_could_have_read_at_the_time(
    officer: Visitor, stranger: Visitor
) -> None:
    address = write(officer, "save", title="A secret name")
    change(officer, address, visibility="private")
    officer.visit(address)
    officer.submit("publish")
    change(officer, address, title="A public name", visibility="public")
    assert versions(stranger, address) == [versions(officer, address)[0]]
    for page in ("history", "history/1", "history/2", "history/3", "history/compare?from=1&to=3"):
        assert "A secret name" not in stranger.visit(f"{address}/{page}").text, page
    assert stranger.visit(f"{address}/history/1").status_code == 404
    assert "A secret name" in officer.visit(f"{address}/history/1").text
    change(officer, address, visibility="private")
    assert stranger.visit(f"{address}/history").status_code == 404


def test_a_version_is_brought_back_as_a_new_one(officer: Visitor, stranger: Visitor) -> None:
    address = write(officer, title="It was good", brief="Good.")
    change(officer, address, title="It was better", brief="Worse.", visibility="peers")
    officer.visit(f"{address}/history/2")
    officer.submit("restore")
    assert "Version 2 has been restored." in officer.text
    assert "It was good" in officer.text
    assert stranger.visit(address).status_code == 404, "who may read it stays"
    assert "Restored" in officer.visit(f"{address}/history").text
    assert versions(officer, address) == [4, 3, 2, 1]


def test_a_reader_does_not_bring_anything_back(officer: Visitor, stranger: Visitor) -> None:
    address = write(officer, title="Only to read")
    assert "Restore this version" in officer.visit(f"{address}/history/2").text
    assert "Restore this version" not in stranger.visit(f"{address}/history/2").text
    assert stranger.client.post(f"{address}/history/2/restore").status_code == 400


def test_what_is_deleted_has_no_history(
    council: TestNode, officer: Visitor, stranger: Visitor
) -> None:
    address = write(officer, title="Not for long")
    with council.reading() as session:
        before = session.scalar(select(func.count(ProjectVersion.id))) or 0
    officer.visit(f"{address}/delete")
    officer.submit("delete")
    with council.reading() as session:
        assert session.scalar(select(func.count(ProjectVersion.id))) == before - 2
    for reader in (officer, stranger):
        assert reader.visit(f"{address}/history").status_code == 410


def test_a_project_from_before_has_what_it_was_as_its_first(
    council: TestNode, officer: Visitor, stranger: Visitor
) -> None:
    address = write(officer, title="Older than its history")
    with council.work() as work:
        for row in work.session.scalars(select(ProjectVersion)):
            work.session.delete(row)
    page = officer.visit(f"{address}/history").text
    assert "No changes to this project have been recorded yet." in page
    change(officer, address, title="Newer")
    assert versions(stranger, address) == [2, 1]
    assert "Older than its history" in stranger.visit(f"{address}/history/1").text


def test_the_history_of_others_projects_is_theirs(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follower = there.visitor("officer")
    follower.visit("/councils/follow")
    follower.submit("follow", address=here.address)
    nodes.run_until_idle()
    write(here.visitor("officer"), title="Of another")
    nodes.run_until_idle()
    found = re.search(r"/projects/[\w-]{12}", follower.visit("/projects").text)
    assert found is not None
    assert "History of this project" not in follower.visit(found[0]).text
    assert follower.visit(f"{found[0]}/history").status_code == 404


def test_a_comparison_loses_nothing_of_either_text() -> None:
    before = "One line.\nAnother, with *marks*.\n\n" + "word " * 500 + "\nThe end"
    after = "One line more.\n\n" + "word " * 500 + "\nNew: the end of it\n"
    pieces = diff_texts(before, after)
    gone = {DiffKind.removed, DiffKind.same}
    assert "Another, with *marks*." in "".join(each.text for each in pieces if each.kind in gone)
    assert DiffKind.omitted in {each.kind for each in pieces}
    assert diff_texts("", "") == []
    assert diff_texts("same", "same")[0].kind is DiffKind.same


def test_a_long_comparison_takes_no_time() -> None:
    before = "\n".join(f"{number % 7} a b c" for number in range(12_000))
    after = " ".join(f"{number % 11} a b" for number in range(9_000))
    assert {each.kind for each in diff_texts(before, after)} == {DiffKind.removed, DiffKind.added}
