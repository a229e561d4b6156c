"""Servers of other software and our node: what is done on either side arrives on the other."""

from dataclasses import replace

from node.testing.processes import until
from tests.interop.conftest import Town


def test_must_1_they_find_us_by_our_address(town: Town) -> None:
    assert town.theirs.do("webfinger", what=town.ours.address) == town.ours.uri
    found = town.theirs.do("find", what=town.ours.address)
    assert (found["id"], found["type"]) == (town.ours.uri, "Organization")
    assert found["name"] == "Aldermoor Council"
    assert found["endpoints"]["sharedInbox"].endswith("/inbox")


def test_must_2_they_read_our_nodeinfo(town: Town) -> None:
    found = town.theirs.do("nodeinfo", url=town.ours.node.settings.base_url)
    assert found["software"]["name"] == "moothall"
    assert found["protocols"] == ["activitypub"]
    assert found["usage"]["users"] == {"total": 1}


def test_must_6_each_follow_is_accepted(town: Town) -> None:
    follow = town.befriend()
    assert len(town.received("Accept", follow)) == 1
    assert town.ours.follows(town.their_uri, town.ours.uri) == ["accepted"]
    assert town.ours.follows(town.ours.uri, town.their_uri) == ["accepted"]
    assert f"@{town.theirs.who}" in town.ours.people.visit("/councils")


def test_must_7_each_follow_can_be_undone(town: Town) -> None:
    follow = town.befriend()
    undo = town.theirs.do("undo", what=follow, to=town.ours.uri)
    assert town.ours.outcome(undo) == "done"
    assert town.ours.follows(town.their_uri, town.ours.uri) == []
    town.ours.unfollow(town.theirs)
    until(lambda: town.ours.uri not in town.theirs.do("seen")["followers"], "no follower")
    town.befriend()


def test_must_8_a_project_of_ours_is_published_changed_and_deleted_there(town: Town) -> None:
    project = town.ours.publish()
    assert town.ours.answers("Create", project, town.theirs) == [202]
    until(lambda: bool(town.received("Create", project)), "the Create is there")
    (created,) = town.received("Create", project)
    assert created["actor"] == town.ours.uri
    assert created["content"] == "<p>It is <em>needed</em>.</p>\n"

    town.ours.edit(project, title="A better title")
    assert town.ours.answers("Update", project, town.theirs) == [202]
    until(lambda: bool(town.received("Update", project)), "the Update is there")
    assert town.received("Update", project)[0]["name"] == "A better title"

    town.ours.delete(project)
    assert town.ours.answers("Delete", project, town.theirs) == [202]
    until(lambda: bool(town.received("Delete", project)), "the Delete is there")
    assert town.theirs.do("seen")["errors"] == []


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
