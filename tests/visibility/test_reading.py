"""Who may read what: every route of the node, read by everybody (must 30)."""

from collections.abc import Callable

import pytest

from node.access.visibility import Visibility
from node.projects.models import ProjectState
from node.testing.fake_peer import ACTIVITY_JSON
from tests.visibility.crawling import crawl
from tests.visibility.town import HTML, Get, Town, word

# What people have no use for.
FOR_PROGRAMS = (
    "/.well-known/",
    "/nodeinfo/",
    "/peers.json",
    "/projects.json",
    "/projects.feed.json",
    "/data.json",
    "/search/suggest",
    "/services/suggest",
    "/api/v1/",
    "/councils/aldermoor/followers_synchronization",
    "/councils/aldermoor/projects/digest",
)
PUBLISHED = ProjectState.published
ORDER = list(Visibility)
TO_ALL = {
    # It is related to all others, whoever may see them.
    word("hub"),
    word(Visibility.public, PUBLISHED),
    word(Visibility.peers, "now", Visibility.public),
    word(Visibility.private, "now", Visibility.public),
}
TO_PEERS = TO_ALL | {
    word(Visibility.peers, PUBLISHED),
    word(Visibility.public, "now", Visibility.peers),
    word(Visibility.private, "now", Visibility.peers),
}
TO_OURS = TO_PEERS | {
    word(Visibility.private, PUBLISHED),
    word(Visibility.public, "now", Visibility.private),
    word(Visibility.peers, "now", Visibility.private),
}
DRAFTS = {
    word(visibility, state)
    for visibility in Visibility
    for state in (ProjectState.draft, ProjectState.review)
}
# Of officers, the name of the one who chose to be seen.
SEEN = {word("seen")}
# Our own people see their colleagues where a project is handed over or a draft is to be read.
COLLEAGUES = {word("unseen"), word("gone")}
# Notes and what is not finished of checklists are for those who may answer them.
ANSWERS = {word("note"), word("unfinished")}
THEIRS_TO_ALL = {word("theirs", Visibility.public, PUBLISHED)}
THEIRS_TO_PEERS = {word("theirs", Visibility.peers, PUBLISHED)}

READERS: dict[str, tuple[Callable[[Town], Get], set[str]]] = {
    "a browser": (lambda town: town.unsigned(HTML), TO_ALL | SEEN | THEIRS_TO_ALL),
    "an unsigned server": (
        lambda town: town.unsigned(ACTIVITY_JSON),
        TO_ALL | SEEN | THEIRS_TO_ALL,
    ),
    "a server that nobody allowed": (
        lambda town: town.signed(town.stranger),
        TO_ALL | SEEN | THEIRS_TO_ALL,
    ),
    "a blocked server": (lambda town: town.signed(town.blocked), set()),
    "a peer": (lambda town: town.signed(town.peer), TO_PEERS | SEEN | THEIRS_TO_ALL),
    "an officer": (
        lambda town: town.signed_in("officer"),
        TO_OURS | DRAFTS | SEEN | COLLEAGUES | ANSWERS | THEIRS_TO_ALL | THEIRS_TO_PEERS,
    ),
    "a moderator": (
        lambda town: town.signed_in_with_token("moderator"),
        TO_OURS | SEEN | THEIRS_TO_ALL | THEIRS_TO_PEERS,
    ),
}


# Every route is much; what a database has to do with it, the other tests show.
ON_SQLITE = pytest.mark.parametrize("lasting_nodes", ["sqlite"], indirect=True)


@ON_SQLITE
@pytest.mark.parametrize("reader", READERS)
def test_must_30_every_route_shows_each_project_to_those_who_may_read_it(
    reader: str, town: Town
) -> None:
    make, may_read = READERS[reader]
    found = crawl(town.here, make(town))
    too_much = {name: found.words[name] for name in found.words.keys() - may_read}
    assert too_much == {}
    assert found.words.keys() == may_read


@ON_SQLITE
def test_must_4_a_browser_gets_a_page_at_every_address(town: Town) -> None:
    found = crawl(town.here, town.unsigned(HTML)).types
    documents = {address for address, kind in found.items() if "json" in kind}
    assert {address for address in documents if not address.startswith(FOR_PROGRAMS)} == set()


@pytest.mark.parametrize("reader", ["an unsigned server", "a peer"])
@pytest.mark.parametrize("name", ["projects", "outbox"])
def test_must_5_a_collection_counts_what_its_reader_gets(
    reader: str, name: str, town: Town
) -> None:
    get = READERS[reader][0](town)
    address, base = f"/councils/aldermoor/{name}", town.here.node.settings.base_url
    collection = get(address).get_json(force=True)
    onward, seen = collection["first"], []
    while onward:
        assert onward.startswith(f"{base}/")
        page = get(onward.removeprefix(base)).get_json(force=True)
        seen += [item["id"] for item in page["orderedItems"]]
        onward = page.get("next")
    assert len(set(seen)) == len(seen) == collection["totalItems"]
    if name == "projects":
        projects = [uri for uri in seen if uri.startswith(f"{base}/projects/")]
        assert len(projects) == len(TO_PEERS if reader == "a peer" else TO_ALL)
        assert len(seen) >= 2 * len(projects), "each has updates"
