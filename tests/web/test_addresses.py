"""Addresses that nobody would type: of the other pages of a list, and of files."""

import re

import pytest

from node.federating.models import Actor, OutboxActivity
from node.testing.nodes import Nodes, TestNode

# What the function that makes addresses takes for itself, or what a place in the address is named.
WORDS = ("endpoint=x", "values=x", "self=x", "_method=POST", "_external=1", "_scheme=javascript")
MORE_WORDS = ("_anchor=x", "_anything=x", "slug=x", "filename=x", "changes=x")
HTML = {"Accept": "text/html"}


@pytest.fixture
def node(lasting_nodes: Nodes) -> TestNode:
    made = lasting_nodes.started
    return made[0] if made else lasting_nodes.start("aldermoor")


@pytest.mark.parametrize("word", WORDS + MORE_WORDS)
def test_links_to_the_same_page_stay_on_it(node: TestNode, word: str) -> None:
    address = f"/portfolio?{word}&origin=ours"
    answer = node.app.test_client().get(address, headers=HTML | {"Host": "evil.test"})
    assert answer.status_code == 200
    links = re.findall(r'moothall-filter__link[^>]*href="([^"]+)"', answer.text)
    assert f"/portfolio?{word}&amp;origin=others" in links
    assert f"/portfolio?{word}" in links
    assert {link.partition("?")[0] for link in links} == {"/portfolio"}


def test_links_to_the_same_page_keep_what_was_asked_for(node: TestNode) -> None:
    page = node.app.test_client().get("/portfolio?q=a%26b+c%C5%B5&origin=ours", headers=HTML).text
    assert 'href="/portfolio?q=a%26b+c%C5%B5&amp;origin=others"' in page


@pytest.mark.parametrize("name", ["x" * 5000, "x/" * 2500, "%00", "../" * 2000, "%FF" * 500])
def test_a_file_that_cannot_be_is_not_found(node: TestNode, name: str) -> None:
    assert node.app.test_client().get(f"/static/{name}").status_code == 404


@pytest.mark.parametrize(
    "about, leads_to",
    [
        ("https://aldermoor.test/projects/1", "https://aldermoor.test/projects/1"),
        ("https://aldermoor.test.evil.test/projects/1", "/"),
        ("https://brackwell.test/projects/1", "/"),
    ],
)
def test_an_activity_leads_nobody_to_another_host(
    node: TestNode, about: str, leads_to: str
) -> None:
    uri = f"{node.node.settings.base_url}/activities/{abs(hash(about))}"
    with node.work() as work:
        actor = work.session.query(Actor).filter_by(uri=node.council_uri).one()
        work.session.add(
            OutboxActivity(
                uri=uri,
                actor_id=actor.id,
                type="Announce",
                object_uri=about,
                body="{}",
                audience="public",
            )
        )
    answer = node.app.test_client().get(uri.removeprefix("https://aldermoor.test"), headers=HTML)
    assert (answer.status_code, answer.location) == (302, leads_to)
