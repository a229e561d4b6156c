"""What only Fedify does: it signs by RFC 9421 first, and writes what is a project to us."""

import json

import pytest

from federation.proofs import check_proof
from federation.vocabulary import id_of
from node.database.tables import now
from node.federating.inbound.keystore import FetchingKeyStore
from tests.interop.conftest import Town

PROJECT = {
    "@context": [
        "https://www.w3.org/ns/activitystreams",
        {
            "moothall": "https://moothall.org/ns#",
            "phase": "moothall:phase",
            "plainSummary": "moothall:plainSummary",
            "visibility": "moothall:visibility",
        },
    ],
    "type": "Article",
    "to": "https://www.w3.org/ns/activitystreams#Public",
    "name": "A bridge",
    "content": "<p>Over the brook.</p>",
    "phase": "alpha",
    "plainSummary": "A bridge for walkers.",
    "visibility": "public",
}
OTHERS = "/projects?origin=others"


@pytest.fixture(scope="module")
def town(fedify_town: Town) -> Town:
    return fedify_town


def test_must_18_it_signs_by_rfc_9421_and_is_believed_at_once(town: Town) -> None:
    town.befriend()
    posts = town.front.sent_to("aldermoor.test", "POST", "/inbox")
    assert {(one.scheme, one.status) for one in posts} == {("rfc9421", 202)}
    assert {one.status for one in town.front.sent_to("fedify.test", "POST")} == {202}


def test_our_proofs_are_proofs_to_it(town: Town) -> None:
    project = town.ours.publish()
    town.arrived("Create", project)
    (sent,) = [
        activity
        for one in town.front.sent_to("fedify.test", "POST")
        if id_of((activity := json.loads(one.body))["object"]) == project
    ]
    assert town.theirs.do("proves", document=sent)
    changed = sent | {"object": sent["object"] | {"name": "Another"}}
    assert not town.theirs.do("proves", document=changed)


def test_its_proofs_are_proofs_to_us(town: Town) -> None:
    town.ours.outcome(town.theirs.do("like", what=town.ours.uri, to=town.ours.uri))
    sent = json.loads(town.front.sent_to("aldermoor.test", "POST")[-1].body)
    assert "signature" in sent, "the Linked Data Signature that comes after the proof"
    keys = FetchingKeyStore(town.ours.node)
    key = check_proof(sent, lambda key_id: keys.get_stored(key_id) or keys.fetch(key_id), now())
    assert key.owner == town.their_uri


def test_must_16_a_project_of_its_own_is_fetched_changed_and_deleted_here(town: Town) -> None:
    ours, theirs = town.ours, town.theirs
    project = theirs.do("publish", document=PROJECT, to=ours.uri)
    ours.reads(OTHERS, "A bridge")
    changed = PROJECT | {"name": "A wider bridge"}
    theirs.do("publish", document=changed, to=ours.uri, uri=project)
    ours.reads(OTHERS, "A wider bridge")
    assert ours.outcome(theirs.do("delete", what=project, to=ours.uri)) == "done"
    ours.reads_no_more(OTHERS, "A wider bridge")


@pytest.mark.parametrize("button, kind", [("/like", "Like"), ("/share", "Announce")])
def test_what_we_think_of_its_project_arrives_there_and_is_taken_back(
    town: Town, button: str, kind: str
) -> None:
    project = town.theirs.do("publish", document=PROJECT | {"name": kind}, to=town.ours.uri)
    town.ours.reads(OTHERS, f">{kind}<")
    town.ours.react(project, button)
    given = town.arrived(kind, project)
    assert given["actor"] == town.ours.uri
    town.ours.react(project, button)
    town.arrived("Undo", given["id"])
