"""Two councils, of which the first follows the second, with projects of every kind."""

from dataclasses import dataclass

import pytest

from node.access.visibility import Visibility
from node.projects.details import Adopter, Details, Output
from node.testing.nodes import Nodes, TestNode
from node.testing.visitor import Visitor
from tests.portfolio.places import day, publish, put, tell

BINS = Details(
    starts_on=day("2031-02-03"),
    ends_on=day("2031-08-29"),
    end_is_estimated=True,
    contract_ends_on=day("2031-10-31"),
    assessment_on=day("2031-05-15"),
)


@dataclass(frozen=True)
class Town:
    """`bins` is the token of a project of ours, with all days; `trees` of one of theirs, here."""

    here: TestNode
    there: TestNode
    bins: str
    trees: str

    @property
    def stranger(self) -> Visitor:
        return self.here.visitor()


@pytest.fixture(scope="module")
def town(lasting_nodes: Nodes) -> Town:
    here, there = lasting_nodes.pair()
    put(there, "wales", "52.41", "-4.08")
    officer = here.visitor("officer")
    officer.visit("/councils/follow")
    officer.submit("follow", address=there.address)
    lasting_nodes.run_until_idle()
    put(here, "south-west", "50.72", "-3.53")
    bins = publish(here, "Bins", BINS)
    publish(here, "Ponds", BINS, "beta", Visibility.peers)
    publish(here, "Wages", BINS, "live", Visibility.private)
    publish(here, "Nothing <said> & done", None, "concept")
    adopted = Output(
        token="map", title="A map", adopters=(Adopter("Aldermoor Council", here.council_uri),)
    )
    trees = publish(there, "Trees", Details(starts_on=day("2031-02-10"), outputs=(adopted,)))
    tell(here, bins, changed="We tried it.", needs="Two testers.")
    tell(there, trees, changed="We counted them.")
    lasting_nodes.run_until_idle()
    page = here.visitor().visit("/projects").text
    trees = page.partition(">Trees</a>")[0].rpartition("/projects/")[2].partition('"')[0]
    return Town(here, there, bins, trees)


@pytest.fixture
def lone(nodes: Nodes) -> TestNode:
    """A council that follows nobody and has published nothing."""
    return nodes.start("aldermoor")
