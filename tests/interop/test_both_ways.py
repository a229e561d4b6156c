"""Servers of other software and our node: what is done on either side arrives on the other."""

from dataclasses import replace

import pytest

from node.testing.processes import wait_until
from tests.interop.conftest import Town


def test_must_1_they_find_us_by_our_address(town: Town) -> None:
    assert town.theirs.do("webfinger", what=town.ours.address) == town.ours.uri
    found = town.theirs.do("find", what=town.ours.address)
    assert (found["id"], found["type"]) == (town.ours.uri, "Organization")
    assert found["name"] == "Aldermoor Council"
    assert found["endpoints"]["sharedInbox"].endswith("/inbox")


def test_must_1_they_find_us_at_our_main_domain(town: Town) -> None:
    address = town.ours.main_address
    assert address != town.ours.address
    assert town.theirs.do("webfinger", what=address) == town.ours.uri
    assert town.theirs.do("find", what=address)["id"] == town.ours.uri


def test_must_2_they_read_our_nodeinfo(town: Town) -> None:
    found = town.theirs.do("nodeinfo", url=town.ours.node.settings.base_url)
    assert found["software"]["name"] == "moothall"
    assert found["protocols"] == ["activitypub"]
    assert found["usage"]["users"] == {"total": 1}


def test_must_6_each_follow_is_accepted(town: Town) -> None:
    town.befriend()
    assert town.ours.follows(town.their_uri, town.ours.uri) == ["accepted"]
    assert town.ours.follows(town.ours.uri, town.their_uri) == ["accepted"]
    assert f"@{town.theirs.who}" in town.ours.people.visit("/councils")


def test_must_7_each_follow_can_be_undone(town: Town) -> None:
    follow = town.befriend()
    undo = town.theirs.do("undo", what=follow, to=town.ours.uri)
    assert town.ours.outcome(undo) == "done"
    assert town.ours.follows(town.their_uri, town.ours.uri) == []
    town.ours.unfollow(town.theirs)
    gone = lambda: town.ours.uri not in town.theirs.do("seen")["followers"]  # noqa: E731
    wait_until(gone, "no follower")
    town.befriend()


def test_must_8_a_project_of_ours_is_published_changed_and_deleted_there(town: Town) -> None:
    project = town.ours.publish()
    created = town.arrived("Create", project)
    assert created["actor"] == town.ours.uri
    assert created["content"] == "<p>It is <em>needed</em>.</p>\n"
    town.ours.edit(project, title="A better title")
    assert town.arrived("Update", project)["name"] == "A better title"
    town.ours.delete(project)
    town.arrived("Delete", project)
    for kind in ("Create", "Update", "Delete"):
        assert town.ours.answers(kind, project, town.theirs) == [202]
    assert town.theirs.do("seen")["errors"] == []


def test_must_17_a_comment_of_theirs_is_shown_changed_and_deleted_here(town: Town) -> None:
    project = town.ours.publish()
    page = town.ours.path_of(project)
    given = {"about": project, "to": town.ours.uri}
    note = town.theirs.do("write", content="<p>We need it too.</p>", **given)
    town.ours.reads(page, "We need it too.")
    town.theirs.do("write", content="<p>We need it more.</p>", uri=note, **given)
    town.ours.reads(page, "We need it more.")
    deleted = town.theirs.do("delete", what=note, to=town.ours.uri)
    assert town.ours.outcome(deleted) == "done"
    town.ours.reads_no_more(page, "We need it")


@pytest.mark.parametrize("deed, word", [("like", "1 like"), ("announce", "1 share")])
def test_must_22_a_reaction_of_theirs_counts_once_and_is_taken_back(
    town: Town, deed: str, word: str
) -> None:
    project = town.ours.publish()
    page, told = town.ours.path_of(project), {"what": project, "to": town.ours.uri}
    first, again = town.theirs.do(deed, **told), town.theirs.do(deed, **told)
    assert town.ours.outcome(first) == "done"
    town.ours.outcome(again)
    town.ours.reads(page, word)
    town.theirs.do("undo", what=again, to=town.ours.uri)
    town.theirs.do("undo", what=first, to=town.ours.uri)
    town.ours.reads_no_more(page, word)


def test_must_31_a_comment_of_ours_arrives_there_and_is_deleted_there(town: Town) -> None:
    project = town.ours.publish()
    note = town.theirs.do("write", content="<p>Why?</p>", about=project, to=town.ours.uri)
    town.ours.reads(town.ours.path_of(project), "Why?")
    answer = town.ours.answer(note, f"For you, {town.theirs.who}")
    assert town.theirs.who in town.arrived("Create", answer)["content"]
    town.ours.delete(answer)
    town.arrived("Delete", answer)


def test_must_34_nobody_fetches_a_context(town: Town) -> None:
    town.befriend()
    assert not town.strange_names.exists(), town.strange_names.read_text()


def test_they_believe_only_what_is_signed(town: Town) -> None:
    """Or what they received would prove nothing about what we sent."""
    town.befriend()
    follow = next(
        one
        for one in town.front.sent_to(f"{town.theirs.name}.test", "POST")
        if b'"Follow"' in one.body
    )
    assert town.front.repeat(follow) == 202
    assert town.front.repeat(replace(follow, body=follow.body.replace(b"Follow", b"follow"))) == 401
    unsigned = {name: value for name, value in follow.headers.items() if name != "signature"}
    assert town.front.repeat(replace(follow, headers=unsigned)) == 401
