"""The rule itself: for every viewer, visibility, state and council, the SQL condition, the check in
Python and a table that was written by hand say the same.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import pytest
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from node.access.viewer import ANONYMOUS, LOCAL_USER, Viewer
from node.access.visibility import Resource, Visibility, can_fetch, can_read, can_see
from node.councils import service as councils
from node.councils.models import Council
from node.federating.models import Actor, Follow
from node.projects import visibility
from node.projects.models import Phase, Project, ProjectState, new_token
from node.testing.nodes import Nodes, TestNode

PEER, EDITOR = Viewer(host="peer.example"), replace(LOCAL_USER, may_see_drafts=True)
VIEWERS = {"anonymous": ANONYMOUS, "peer": PEER, "reader": LOCAL_USER, "editor": EDITOR}
OURS, FOLLOWED, LEFT = "ours", "followed", "left"
# The visibilities that each viewer may read, of our projects and of those of a followed council.
READABLE: dict[str, tuple[set[str], set[str]]] = {
    "anonymous": ({"public"}, {"public"}),
    "peer": ({"public", "peers"}, {"public"}),
    "reader": ({"public", "peers", "private"}, {"public", "peers", "private"}),
    "editor": ({"public", "peers", "private"}, {"public", "peers", "private"}),
}
# The visibilities of our projects whose documents each viewer may fetch.
FETCHABLE = {
    "anonymous": {"public"},
    "peer": {"public", "peers"},
    "reader": {"public", "peers"},
    "editor": {"public", "peers"},
}


@dataclass(frozen=True)
class Kind:
    """One kind of project; `owner` is the kind of council that it belongs to."""

    owner: str
    visibility: Visibility
    state: ProjectState
    is_hidden: bool

    def is_readable(self, viewer: str) -> bool:
        ours, followed = READABLE[viewer]
        readable: dict[str, set[str]] = {OURS: ours, FOLLOWED: followed, LEFT: set()}
        return not self.is_hidden and self.visibility in readable[self.owner]

    def is_visible(self, viewer: str, *, include_drafts: bool = False) -> bool:
        states = {ProjectState.published}
        if include_drafts and viewer == "editor":
            states |= {ProjectState.draft, ProjectState.review}
        return self.state in states and self.is_readable(viewer)

    def is_fetchable(self, viewer: str) -> bool:
        is_published = self.state is ProjectState.published
        return self.owner == OURS and is_published and self.visibility in FETCHABLE[viewer]

    def resource(self, project: Project) -> Resource[bool]:
        is_shown = self.owner != LEFT and project.resource.is_shown
        return replace(project.resource, is_shown=is_shown)


KINDS = [
    Kind(*values)
    for values in product((OURS, FOLLOWED, LEFT), Visibility, ProjectState, (False, True))
]


@pytest.fixture(scope="module")
def node(lasting_nodes: Nodes) -> TestNode:
    """A council, another that it follows and one that it no longer follows, with every kind of
    project.
    """
    node = lasting_nodes.start("aldermoor")
    with node.work() as work:
        owners = {OURS: councils.require_own(work.session)}
        for name, state in ((FOLLOWED, "accepted"), (LEFT, "rejected")):
            owners[name] = _add_council(work.session, owners[OURS], name, state)
        for kind in KINDS:
            uri = f"https://{kind.owner}.example/{new_token()}"
            work.session.add(
                Project(
                    uri=uri,
                    url=uri,
                    title=repr(kind),
                    phase=Phase.alpha,
                    council=owners[kind.owner],
                    visibility=kind.visibility,
                    state=kind.state,
                    is_hidden=kind.is_hidden,
                )
            )
    return node


def _add_council(session: Session, own: Council, name: str, state: str) -> Council:
    uri = f"https://{name}.example/council"
    actor = Actor(
        uri=uri,
        host=f"{name}.example",
        username=name,
        name=name,
        kind="Organization",
        is_local=False,
        inbox=f"{uri}/inbox",
        url=uri,
    )
    council = Council(name=name, actor=actor)
    session.add_all([council, actor])
    session.flush()
    follow = Follow(
        uri=f"{own.actor.uri}#{name}",
        follower_id=own.actor_id,
        followed_id=actor.id,
        state=state,
    )
    session.add(follow)
    return council


@pytest.mark.parametrize("name", VIEWERS)
def test_condition_check_and_table_agree(node: TestNode, name: str) -> None:
    viewer, titles = VIEWERS[name], {repr(kind): kind for kind in KINDS}
    with node.reading() as session:
        projects = {titles[row.title]: row for row in session.scalars(select(Project))}
        resources = {kind: kind.resource(row) for kind, row in projects.items()}
        is_ours = Project.council_id == projects[KINDS[0]].council_id

        def find(condition: ColumnElement[bool]) -> set[Kind]:
            return {
                titles[title] for title in session.scalars(select(Project.title).where(condition))
            }

        def check(may: Callable[[Resource[bool]], bool]) -> set[Kind]:
            return {kind for kind, resource in resources.items() if may(resource)}

        readable = {kind for kind in KINDS if kind.is_readable(name)}
        assert check(lambda resource: can_read(viewer, resource)) == readable
        assert find(visibility.is_readable_by(viewer)) == readable

        visible = {kind for kind in KINDS if kind.is_visible(name)}
        assert check(lambda resource: can_see(viewer, resource)) == visible
        assert find(visibility.is_visible_to(viewer)) == visible

        and_drafts = {kind for kind in KINDS if kind.is_visible(name, include_drafts=True)}
        assert check(lambda resource: can_see(viewer, resource, include_drafts=True)) == and_drafts
        assert find(visibility.is_visible_to(viewer, include_drafts=True)) == and_drafts

        fetchable = {kind for kind in KINDS if kind.is_fetchable(name)}
        assert check(lambda resource: can_fetch(viewer, resource)) == fetchable
        assert find(is_ours & visibility.is_fetchable_by(viewer)) == fetchable
