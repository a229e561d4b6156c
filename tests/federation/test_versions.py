"""A council whose node is of another version: what it says more than we know, or less, does no harm
to what we hold of it, and is passed on as it came.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import run_wsgi_app

from federation.council_digest import TYPES_HEADER
from federation.proofs import add_proof
from federation.signatures import sign
from federation.vocabulary.context import without_context
from node.database.tables import now
from node.federating.identity import actors
from node.federating.models import Actor, InboxItem
from node.projects.models import Project
from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes, TestNode
from tests.federation.converging import (
    change,
    change_update,
    compare,
    comparison,
    held,
    held_updates,
    lose_deliveries,
    publish,
    tell,
    unreachable,
)
from tests.federation.talking import copy_of
from tests.federation.test_conversations import say_here
from tests.federation.test_groups import announced, follow_group
from tests.federation.test_main_job import follow
from tests.federation.test_main_job import publish as publish_by_form
from tests.refusals.test_belief import send

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# The differences that are tried are of documents; both engines store what comes of them.
pytestmark = pytest.mark.parametrize("nodes", ["sqlite"], indirect=True)

Document = dict[str, Any]
Change = Callable[[Document], Document]
UNKNOWN = "Horizon"
LATER_PHASE, ITS_NAME = "mothballed-for-now", "Mothballed for now"
# What is kept of the links of a newer version: one of an unknown kind leads where it leads.
KNOWN_LINKS = [(None, "https://a.example/"), ("website", "https://b.example/")]
# Of properties and members of details, what the first nodes did not say.
LATER = {
    "source",
    "projectVersion",
    "details",
    "nameMap",
    "contentMap",
    "context",
    "audience",
    "replies",
    "likes",
    "shares",
    "tag",
    "gssCode",
    "location",
    "generator",
    "implements",
    "discoverable",
    "indexable",
    "featured",
    "following",
    "assertionMethod",
    "proof",
}


def newer(document: Document) -> Document:
    """As a later version might write it: more properties everywhere, more members and words in
    details, other kinds of tags, and among its documents one of a type of its own.
    """
    changed = {name: _each(newer, value) for name, value in document.items()}
    changed |= {
        "horizon": {"type": f"moothall:{UNKNOWN}", "far": [1.5, None, {"id": "x"}]},
        "moothall:mood": "calm",
    }
    if "@context" in document:
        changed["@context"] = [*document["@context"], {"horizon": "moothall:horizon"}]
    if "revision" in document and "phase" in document:
        changed["phase"] = LATER_PHASE
        changed["details"] = document.get("details", {}) | {
            "tags": ["bins"],
            "collaboration": "share-staff",
            "links": [
                {"kind": "hologram", "url": "https://a.example/", "depth": 3},
                {"kind": "website", "url": "https://b.example/", "depth": 3},
            ],
            "horizon": {"far": True},
        }
        changed["tag"] = [
            {"type": "Mood", "name": "calm"},
            {
                "type": "Link",
                "rel": "https://moothall.org/ns#dreams-of",
                "href": "https://c.example/",
            },
        ]
    if "orderedItems" in document and "partOf" in document and "projects" in document["partOf"]:
        beyond = {"id": f"{document['partOf']}/horizon", "type": f"moothall:{UNKNOWN}"}
        changed["orderedItems"] = [beyond, *changed["orderedItems"]]
    return changed


def older(document: Document) -> Document:
    """As an earlier version might have written it: without what came later."""
    return {name: _each(older, value) for name, value in document.items() if name not in LATER}


def first_of_all(document: Document) -> Document:
    """As the first version would have written it, before there were digests."""
    return {
        name: _each(first_of_all, value)
        for name, value in older(document).items()
        if name not in {"digest", "revision", "visibility"}
    }


def _each(changed: Change, value: Any) -> Any:
    """Documents within a document, but not what somebody else has proven."""
    if isinstance(value, list):
        return [_each(changed, one) for one in value]
    is_document = isinstance(value, dict) and ("type" in value or "number" in value)
    return changed(value) if is_document and "proof" not in value else value


@dataclass
class OtherVersion:
    """`one` as others reach it, its documents `changed` as its version would write them, and proven
    and signed as its own node would have done it. `asked` is what it was asked for, `sent` what it
    sent.
    """

    one: TestNode
    changed: Change
    asked: list[str] = field(default_factory=list)
    sent: list[Document] = field(default_factory=list)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET":
            return self.one.app(environ, start_response)
        self.asked.append(environ["REQUEST_URI"])
        body, status, headers = run_wsgi_app(self.one.app, environ, buffered=True)
        whole = b"".join(body)
        if whole and "activity+json" in headers["Content-Type"]:
            whole = json.dumps(self._written(json.loads(whole))).encode()
            headers["Content-Length"] = str(len(whole))
        if TYPES_HEADER in headers:
            del headers[TYPES_HEADER]
            if self.changed is newer:
                headers[TYPES_HEADER] = f'{UNKNOWN}="{"ab" * 32}";far'
        start_response(status, headers.to_wsgi_list())
        return [whole]

    def on_the_way(self, to: TestNode) -> "WSGIApplication":
        """`to` as this node reaches it."""

        def carry(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            if environ["REQUEST_METHOD"] == "POST":
                said = json.loads(environ["wsgi.input"].read())
                self.sent.append(self._written(said))
                body = json.dumps(self.sent[-1]).encode()
                url = f"https://{to.host}{environ['REQUEST_URI']}"
                with self.one.reading() as session:
                    key = actors.get_signing_key(_author(session, said))
                for name in ("HTTP_SIGNATURE_INPUT", "HTTP_CONTENT_DIGEST"):
                    environ.pop(name, None)  # of another scheme
                for name, value in sign("POST", url, {}, body, key, now()).items():
                    environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
                environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(body), str(len(body))
            return to.app(environ, start_response)

        return carry

    def _written(self, document: Document) -> Document:
        changed = self.changed(document)
        if "proof" not in changed:
            return changed
        with self.one.reading() as session:
            return add_proof(changed, actors.get_proof_key(_author(session, document)), now())


def _author(session: Session, said: Document) -> Actor:
    return session.scalars(select(Actor).where(Actor.uri == said["actor"])).one()


def join(nodes: Nodes, changed: Change) -> tuple[TestNode, TestNode, OtherVersion]:
    """Two nodes that allow each other, ours and one of another version; and what that does."""
    here, there = nodes.pair()
    version = OtherVersion(there, changed)
    nodes.apps[there.host] = version
    nodes.apps[here.host] = version.on_the_way(here)
    return here, there, version


def agree(here: TestNode, there: TestNode) -> None:
    """Ours has all that the other publishes, in the same state, and knows it."""
    assert held(here, there) == held(there, there)
    assert held_updates(here, there) == held_updates(there, there)
    assert comparison(here).agreed_at is not None
    assert comparison(here).outcome == ""


@pytest.mark.parametrize("changed", [newer, older])
def test_must_44_what_a_peer_of_another_version_publishes_is_held_and_found_equal(
    changed: Change, nodes: Nodes
) -> None:
    here, there, version = join(nodes, changed)
    publish(there, "Bins", "Potholes")
    tell(there, "Bins", "Begun.")
    nodes.run_until_idle()
    follow(nodes, here, there)
    agree(here, there)
    assert len(held(here, there)) == 2, "what was there before is read"

    publish(there, "Trees")
    tell(there, "Trees", "Planted.")
    change(there, "Bins", "Bins in one step", visibility="peers")
    change_update(there, "Begun.", "Begun again.")
    nodes.run_until_idle()
    assert held(here, there) == held(there, there), "what is new arrives"
    assert held_updates(here, there) == held_updates(there, there)

    with unreachable(nodes, here):
        publish(there, "Benches")
        tell(there, "Benches", "Painted.")
        change(there, "Trees", "Woods")
        nodes.run_until_idle()
        lose_deliveries(there)
    assert held(here, there) != held(there, there)
    compare(nodes, here)
    agree(here, there)
    version.asked.clear()
    compare(nodes, here)
    assert version.asked == ["/councils/brackwell/projects/digest"], "nothing is asked for again"
    agree(here, there)
    with here.reading() as session:
        for project in session.scalars(select(Project).where(Project.title != "Bins")):
            said = project.details
            assert said.tags == (("bins",) if changed is newer else ())
            kinds = [(link.kind, link.url) for link in said.links]
            assert kinds == (KNOWN_LINKS if changed is newer else [])
            assert (said.collaboration, said.related) == (None, ())
        assert set(session.scalars(select(InboxItem.state))) == {"done"}
    page = here.visitor().visit(copy_of(here, "Woods"))
    assert page.status_code == 200
    assert ('href="https://a.example/"' in page.text) is (changed is newer)
    for path in ("/projects", "/portfolio", "/numbers"):
        assert (ITS_NAME in here.visitor().visit(path).text) is (changed is newer), path
    listed = json.loads(here.visitor().visit("/projects.json").text)["projects"]
    phases = {one["phase"] for one in listed}
    assert phases == ({LATER_PHASE} if changed is newer else {"alpha"})


@pytest.mark.parametrize("changed", [newer, older])
def test_must_44_what_a_peer_of_another_version_says_is_passed_on_as_it_came(
    changed: Change, nodes: Nodes
) -> None:
    here, there, version = join(nodes, changed)
    reader = FakePeer.join(nodes, "coldmere.test", here)
    follow(nodes, there, here)
    project = publish_by_form(here, "Bins")
    nodes.run_until_idle()
    follow_group(nodes, reader.actor(), here, project)
    say_here(there, copy_of(there, "Bins"), "We need *that*")
    nodes.run_until_idle()
    assert "We need <em>that</em>" in here.visitor().visit(project).text
    original = announced(reader)[0]
    sent = next(one for one in version.sent if one["id"] == original["id"])
    # One with a proof keeps its context, which the proof covers.
    assert original == (sent if changed is newer else without_context(sent))
    assert ("moothall:mood" in original, "proof" in original) == (changed is newer,) * 2
    assert ("moothall:mood" in original["object"]) is (changed is newer)


def test_must_44_types_that_are_not_known_are_no_error(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    peer = FakePeer.join(nodes, "brackwell.test", node)
    council = peer.actor()
    beyond = {"id": peer.new_id("horizons"), "type": f"moothall:{UNKNOWN}", "name": "Far"}
    by_it = beyond | {"attributedTo": council.uri, "revision": "1", "details": {"far": True}}
    for activity in (
        council.build_activity("Create", by_it),
        council.build_activity("Update", by_it),
        council.build_activity("moothall:Foresee", by_it),
        council.build_activity("Announce", by_it),
    ):
        assert send(nodes, council, activity, node) == "ignored"


def test_must_44_a_peer_without_a_digest_is_asked_for_it_and_no_more(nodes: Nodes) -> None:
    """As before there were comparisons: no revisions, and nobody says for whom a project is."""
    here, there, version = join(nodes, first_of_all)
    publish(there, "Bins")
    tell(there, "Bins", "Begun.")
    nodes.run_until_idle()
    follow(nodes, here, there)
    publish(there, "Trees")
    nodes.run_until_idle()
    titles = {title for _, title in held(here, there).values()}
    assert titles == {"Bins", "Trees"}
    for _ in range(2):
        version.asked.clear()
        compare(nodes, here)
        assert version.asked == ["/councils/brackwell"]
    assert {title for _, title in held(here, there).values()} == titles
    assert "Bins" not in here.visitor().visit("/projects").text, "it may be for peers alone"
