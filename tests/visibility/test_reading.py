"""Who may read what: every route of the node, read by everybody (must 30)."""

import pytest

from node.projects.models import State, Visibility
from node.testing.peer import AS2
from tests.visibility.crawling import crawl
from tests.visibility.town import HTML, Town, word

PUBLISHED = State.published
ORDER = list(Visibility)
TO_ALL = {
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
DRAFTS = {word(visibility, State.draft) for visibility in Visibility}
THEIRS_TO_ALL = {word("theirs", Visibility.public, PUBLISHED)}
THEIRS_TO_PEERS = {word("theirs", Visibility.peers, PUBLISHED)}

READERS = {
    "a browser": (lambda town: town.unsigned(HTML), TO_ALL | THEIRS_TO_ALL),
    "an unsigned server": (lambda town: town.unsigned(AS2), TO_ALL | THEIRS_TO_ALL),
    "a server that nobody allowed": (
        lambda town: town.signed(town.stranger),
        TO_ALL | THEIRS_TO_ALL,
    ),
    "a blocked server": (lambda town: town.signed(town.blocked), set()),
    "a peer": (lambda town: town.signed(town.peer), TO_PEERS | THEIRS_TO_ALL),
    "an officer": (
        lambda town: town.signed_in("officer"),
        TO_OURS | DRAFTS | THEIRS_TO_ALL | THEIRS_TO_PEERS,
    ),
}


@pytest.mark.parametrize("reader", READERS)
def test_must_30_every_route_shows_each_project_to_those_who_may_read_it(
    reader: str, town: Town
) -> None:
    make, may_read = READERS[reader]
    found = crawl(town.here, make(town))
    too_much = {name: found.words[name] for name in found.words.keys() - may_read}
    assert too_much == {}
    assert found.words.keys() == may_read
