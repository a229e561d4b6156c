"""A council's node and a server of other software, which follow each other over https."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from node.testing.processes import free_port, wait_until
from tests.interop import neighbours
from tests.interop.authority import certify
from tests.interop.council import HOST, MAIN, OurCouncil, our_council
from tests.interop.front import Front
from tests.interop.neighbours import Neighbour

Starts = Callable[[Front, Path, Path], AbstractContextManager[Neighbour]]


@dataclass
class Town:
    """Who is there. `strange_names` is the file of names that somebody asked for in vain."""

    ours: OurCouncil
    theirs: Neighbour
    front: Front
    strange_names: Path

    @cached_property
    def their_uri(self) -> str:
        return str(self.theirs.do("webfinger", what=self.theirs.address))

    def befriend(self) -> str:
        """Each follows the other, and knows that it was accepted; the id of their Follow."""
        follow = str(self.theirs.do("follow", whom=self.ours.address))
        self.ours.follow(self.theirs)
        wait_until(lambda: self.ours.uri in self.theirs.do("seen")["followers"], "a follower")
        wait_until(
            lambda: self.ours.follows(self.ours.uri, self.their_uri) == ["accepted"],
            "accepted",
        )
        self.arrived("Accept", follow)
        return follow

    def arrived(self, kind: str, about: str) -> dict[str, Any]:
        """Wait until they received and believed something of ours; what that says, once only."""
        wait_until(lambda: bool(self._received(kind, about)), f"a {kind} of {about}")
        (found,) = self._received(kind, about)
        return found

    def _received(self, kind: str, about: str) -> list[dict[str, Any]]:
        found = self.theirs.do("seen")["received"]
        return [one for one in found if (one["type"], one["object"]) == (kind, about)]


@pytest.fixture(scope="session")
def fedify_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with _town(tmp_path_factory.mktemp("fedify"), "fedify.test", neighbours.fedify) as town:
        yield town


@pytest.fixture(scope="session")
def bovine_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with _town(tmp_path_factory.mktemp("bovine"), "bovine.test", neighbours.bovine) as town:
        yield town


@pytest.fixture(scope="session")
def pubby_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with _town(tmp_path_factory.mktemp("pubby"), "pubby.test", neighbours.pubby) as town:
        yield town


@pytest.fixture(scope="session", params=["fedify", "bovine", "pubby"])
def town(request: pytest.FixtureRequest) -> Town:
    """Our council and one other's server after the other."""
    found: Town = request.getfixturevalue(f"{request.param}_town")
    return found


@contextmanager
def _town(folder: Path, name: str, starts: Starts) -> Iterator[Town]:
    trusted, certificate = certify(folder, (HOST, MAIN, name))
    for part in ("ours", "theirs"):
        (folder / part).mkdir()
    with (
        Front(certificate, free_port()).running() as front,
        starts(front, folder / "theirs", trusted) as theirs,
        our_council(front, folder / "ours", trusted, theirs.authority) as ours,
    ):
        ours.allow(theirs)
        theirs.wait()
        town = Town(ours, theirs, front, folder / "strange-names")
        town.befriend()
        yield town
