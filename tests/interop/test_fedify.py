"""What only Fedify does: it signs by RFC 9421 first, and writes what is a project to us."""

import pytest

from tests.interop.conftest import Town

PROJECT = {
    "@context": [
        "https://www.w3.org/ns/activitystreams",
        {
            "moothall": "https://moothall.org/ns#",
            "phase": "moothall:phase",
            "plainSummary": "moothall:plainSummary",
        },
    ],
    "type": "Article",
    "name": "A bridge",
    "content": "<p>Over the brook.</p>",
    "phase": "alpha",
    "plainSummary": "A bridge for walkers.",
}
OTHERS = "/projects?origin=others"


@pytest.fixture(scope="module")
def town(fedify_town: Town) -> Town:
    return fedify_town


def test_must_18_it_signs_by_rfc_9421_and_is_believed_at_once(town: Town) -> None:
    town.befriend()
    posts = town.front.sent_to("aldermoor.test", "POST", "/inbox")
    assert {(one.scheme, one.status) for one in posts} == {("rfc9421", 202)}
    assert {one.scheme for one in town.front.sent_to("fedify.test", "POST")} == {"cavage"}


def test_a_project_of_its_own_is_published_changed_and_deleted_here(town: Town) -> None:
    ours, theirs = town.ours, town.theirs
    project = theirs.do("write", document=PROJECT, to=ours.uri)
    ours.reads(OTHERS, "A bridge")
    changed = PROJECT | {"name": "A wider bridge"}
    theirs.do("write", document=changed, to=ours.uri, uri=project)
    ours.reads(OTHERS, "A wider bridge")
    assert ours.outcome(theirs.do("delete", what=project, to=ours.uri)) == "done"
    assert "A wider bridge" not in ours.people.visit(OTHERS)
