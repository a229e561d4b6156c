"""Names whose domain is not the server's: ours at the main domain, others'."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from werkzeug.test import Client

from node.errors import InvalidInputError
from node.federating.peers import fetching
from node.testing.fake_peer import FakePeer
from node.testing.nodes import Nodes, TestNode

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAIN = "aldermoor.gov.test"
WEBFINGER = "/.well-known/webfinger"


class MainSite:
    """A council's web site, which sends on what is asked of WebFinger, or asks itself."""

    def __init__(self, node: TestNode, *, redirects: bool) -> None:
        self._node, self._redirects = node, redirects

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        assert environ["PATH_INFO"] == WEBFINGER
        where = f"{self._node.node.settings.base_url}{environ['REQUEST_URI']}"
        if self._redirects:
            start_response("301 Moved", [("Location", where)])
            return [b""]
        app: WSGIApplication = self._node.app
        return app({**environ, "HTTP_HOST": self._node.host}, start_response)


def jrd(app: "WSGIApplication", resource: str) -> tuple[str, str]:
    """The subject and the actor that one is told of `resource`."""
    answer = Client(app).get(WEBFINGER, query_string={"resource": resource}).json
    assert answer is not None
    (actor,) = [link["href"] for link in answer["links"] if link["rel"] == "self"]
    return answer["subject"], actor


@pytest.mark.parametrize("redirects", [True, False], ids=["a redirect", "a proxy"])
def test_must_1_a_council_is_found_at_its_main_domain(redirects: bool, nodes: Nodes) -> None:
    node = nodes.start("aldermoor", handle_domain=MAIN)
    other = nodes.start("brackwell", federation="open")
    site = MainSite(node, redirects=redirects)
    nodes.apps[MAIN] = site
    node.allow(other)
    with other.app.app_context():
        found = fetching.fetch_actor_by_address(other.node, f"@aldermoor@{MAIN}")
        assert fetching.fetch_actor_by_address(other.node, f"@aldermoor@{node.host}") == found
    assert found.id == node.council_uri
    # Mastodon and GoToSocial ask once more at the domain of the subject, which has to agree.
    proxied = MainSite(node, redirects=False)
    for resource in (f"acct:ALDERMOOR@{node.host}", f"acct:@aldermoor@{MAIN}", node.council_uri):
        subject, actor = jrd(node.app, resource)
        assert (subject, actor) == (f"acct:aldermoor@{MAIN}", node.council_uri)
        assert jrd(proxied, subject) == (subject, actor)
    assert urlsplit(actor).netloc == node.host
    assert "@aldermoor<wbr>@aldermoor<wbr>.gov<wbr>.test" in node.visitor().visit("/").text


def test_an_account_whose_domain_is_not_its_servers_is_found_by_either(nodes: Nodes) -> None:
    node = nodes.start("aldermoor")
    web, social = (FakePeer.join(nodes, host, node) for host in ("town.test", "social.town.test"))
    actor = social.actor("one")
    answer = {
        "subject": "acct:one@town.test",
        "links": [{"rel": "self", "type": "application/activity+json", "href": actor.uri}],
    }
    for peer in (web, social):
        peer.serve(f"{WEBFINGER}?resource=acct:one@{peer.host}", answer)
    stranger = FakePeer.join(nodes, "stranger.test", node)
    stranger.serve(f"{WEBFINGER}?resource=acct:one@stranger.test", answer)
    liar = {**answer, "subject": "acct:two@town.test"}
    stranger.serve(f"{WEBFINGER}?resource=acct:two@stranger.test", liar)
    with node.app.app_context():
        for address in ("@one@town.test", "@one@social.town.test", "@one@stranger.test"):
            assert fetching.fetch_actor_by_address(node.node, address).id == actor.uri
        with pytest.raises(InvalidInputError):
            fetching.fetch_actor_by_address(node.node, "@two@stranger.test")
