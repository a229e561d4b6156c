"""Who asks us back before it lets us have a key, and is answered before we have it."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from node.access.permissions import OFFICER
from node.access.visibility import Visibility
from node.federating.models import Follow
from node.officers import service as officers
from node.people import service as people
from node.projects.models import ProjectState
from node.testing.fake_peer import FakeActor, FakePeer
from node.testing.nodes import Nodes, TestNode, role_email
from tests.visibility.town import signed_get, write

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# So long such a server waits, in seconds, before it refuses to show itself.
PATIENCE = 5.0


def webfinger(name: str, node: TestNode) -> str:
    return f"/.well-known/webfinger?resource=acct:{name}@{node.host}"


class LooksUpFirst(FakePeer):
    """Shows its actors to signed requests alone, and only once it has found out by WebFinger, which
    it signs, who signed: as GoToSocial does.
    """

    node: TestNode
    looks_up_as: FakeActor
    pool: ThreadPoolExecutor

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET" and not self._knows_who_asks(environ):
            start_response("401 Unauthorized", [("Content-Type", "application/json")])
            return [b"{}"]
        return super().__call__(environ, start_response)

    def _knows_who_asks(self, environ: "WSGIEnvironment") -> bool:
        if "HTTP_SIGNATURE" not in environ:
            return False
        try:
            return all(
                self.pool.submit(self._look_up, path).result(PATIENCE).status_code == 200
                for path in (
                    "/actor",
                    f"/.well-known/webfinger?resource=acct:node@{self.node.host}",
                )
            )
        except TimeoutError:
            return False

    def _look_up(self, path: str) -> TestResponse:
        return signed_get(self.node, self.looks_up_as, path)


@pytest.fixture
def here(nodes: Nodes) -> TestNode:
    return nodes.start("aldermoor")


@pytest.mark.parametrize("first", ["a project", "a project for peers", "a message", "a name"])
def test_must_36_a_server_that_looks_us_up_before_it_shows_itself(
    first: str, nodes: Nodes, here: TestNode
) -> None:
    public = write(here, "Bins", Visibility.public, ProjectState.published)
    for_peers = write(here, "Taxis", Visibility.peers, ProjectState.published)
    peer = LooksUpFirst.join(nodes, "gotosocial.test", here)
    peer.node, peer.looks_up_as = here, peer.actor("instance")
    someone = peer.actor("someone")
    with ThreadPoolExecutor() as peer.pool:
        if first == "a message":
            assert (
                someone.send(someone.build_activity("Follow", here.council_uri), here).status_code
                == 202
            )
            nodes.run_until_idle()
            assert [one["object"]["actor"] for one in peer.received_of_type("Accept")] == [
                someone.uri
            ]
        elif first == "a name":
            assert signed_get(here, someone, webfinger(here.name, here)).status_code == 200
            assert peer.fetched == []
        else:
            token = public if first == "a project" else for_peers
            assert signed_get(here, someone, f"/projects/{token}").status_code == 200
        assert signed_get(here, someone, f"/projects/{for_peers}").status_code == 200


def test_must_36_names_actors_and_keys_wait_for_no_key(nodes: Nodes, here: TestNode) -> None:
    token = write(here, "Bins", Visibility.public, ProjectState.published)
    with here.work() as work:
        officer = people.require_by_email(work.session, role_email(OFFICER, here.name))
        officers.create_profile(work, officer, officers.OfficerProfile("Ola Officer", ""), "ola")
    peer = FakePeer.join(nodes, "brackwell.test", here)
    nobody = peer.actor("brackwell")
    peer.documents.clear()
    group = signed_get(here, nobody, f"/projects/{token}/group")
    name = group.get_json(force=True)["preferredUsername"]
    names = [webfinger(one, here) for one in ("node", here.name, "ola", name)]
    actors = ["/actor", f"/councils/{here.name}", "/officers/ola", f"/projects/{token}/group"]
    for path in names + actors:
        assert signed_get(here, nobody, path).status_code == 200, path
    assert peer.fetched == []


class Noted:
    """What is asked of an application, in the order of the answers."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app, self.answered = app, list[str]()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        answer = self._app(environ, start_response)
        self.answered.append(str(environ["PATH_INFO"]))
        return answer


def test_must_36_two_nodes_of_ours_that_speak_with_few_find_each_other(nodes: Nodes) -> None:
    here, there = nodes.pair()
    asked = {one.host: Noted(one.app) for one in (here, there)}
    nodes.apps.update(asked)
    here.follow(there)
    assert asked[here.host].answered == [], "it was answered before it was believed"
    assert asked[there.host].answered == ["/.well-known/webfinger", f"/councils/{there.name}"]
    there.follow(here)
    nodes.run_until_idle()
    for one in (here, there):
        with one.reading() as session:
            assert session.scalars(select(Follow.state)).all() == ["accepted"] * 2
