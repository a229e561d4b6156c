"""Our side: one council's node as `moothall serve`, behind https, with what its people do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import select

from node.access.permissions import OFFICER, OPERATOR
from node.app import create_app, get_node
from node.conversations.models import Comment
from node.federating.models import (
    Actor,
    Delivery,
    Follow,
    InboxItem,
    OutboxActivity,
    RefusalCount,
)
from node.federating.peers import service as peers
from node.principal import Principal
from node.projects.models import Project
from node.runtime import Node
from node.testing.http_users import HttpUsers
from node.testing.nodes import make_settings, set_up_database
from node.testing.processes import NodeProcess, free_port, wait_until
from tests.interop.front import Front
from tests.interop.neighbours import NAMES, Neighbour

NAME = "aldermoor"
HOST = f"{NAME}.test"
# Where the council has its web site, and its name; the node is elsewhere.
MAIN = f"{NAME}-council.test"
_numbers = count(1)


@dataclass
class OurCouncil:
    """The council's node. `node` is its database seen from outside."""

    node: Node
    people: HttpUsers = field(init=False)

    def __post_init__(self) -> None:
        self.people = HttpUsers(NAME, self.node.settings)

    @property
    def authority(self) -> str:
        return self.node.settings.authority

    @property
    def address(self) -> str:
        return f"@{NAME}@{self.authority}"

    @property
    def main_address(self) -> str:
        return f"@{NAME}@{self.node.settings.handle_host}"

    @property
    def uri(self) -> str:
        return f"{self.node.settings.base_url}/councils/{NAME}"

    def follow(self, other: Neighbour) -> None:
        """The operator asks to follow the other's actor."""
        self.people.submit("/councils/follow", OPERATOR, address=other.address)

    def allow(self, other: Neighbour) -> None:
        with self.node.work(by=Principal.job("test")) as work:
            peers.decide(work, other.authority, peers.ALLOWED)

    def publish(self) -> str:
        """An officer writes a project and publishes it; its id."""
        title = f"Project {next(_numbers)}"
        self.people.submit(
            "/projects/new",
            OFFICER,
            title=title,
            summary="A short sentence.",
            phase="alpha",
            brief="It is *needed*.",
            then="publish",
        )
        with self.node.reading() as session:
            return session.scalars(select(Project.uri).where(Project.title == title)).one()

    def edit(self, project: str, **changed: str) -> None:
        self.people.submit(f"{self.path_of(project)}/edit", OFFICER, **changed)

    def delete(self, project: str) -> None:
        self.people.submit(f"{self.path_of(project)}/delete", OFFICER)

    def comment(self, project: str, text: str) -> str:
        """An officer says something on the page of a project; the comment's id."""
        self.people.submit(self.path_of(project), OFFICER, "/comments", source=text)
        with self.node.reading() as session:
            return session.scalars(select(Comment.uri).where(Comment.source == text)).one()

    def answer(self, comment: str, text: str) -> str:
        """An officer answers a comment of somebody else; the answer's id."""
        with self.node.reading() as session:
            token = session.scalars(select(Comment.token).where(Comment.uri == comment)).one()
        self.people.submit(f"/comments/{token}/answer", OFFICER, "/comments", source=text)
        with self.node.reading() as session:
            return session.scalars(select(Comment.uri).where(Comment.source == text)).one()

    def react(self, project: str, what: str) -> None:
        """An officer presses a button beside another's project: `/like`, `/share`, …"""
        self.people.submit(self.page_of(project), OFFICER, what)

    def page_of(self, project: str) -> str:
        """Where another's project is shown here."""
        with self.node.reading() as session:
            token = session.scalars(select(Project.token).where(Project.uri == project)).one()
        return f"/projects/{token}"

    def path_of(self, project: str) -> str:
        return project.removeprefix(self.node.settings.base_url)

    def follows(self, follower: str, followed: str) -> list[str]:
        """The state of the follow between two actors, if there is one."""
        query = select(Follow.state).where(
            Follow.follower.has(Actor.uri == follower), Follow.followed.has(Actor.uri == followed)
        )
        with self.node.reading() as session:
            return list(session.scalars(query))

    def unfollow(self, other: Neighbour) -> None:
        """The operator presses the button beside the other on the page of councils."""
        self.people.submit("/councils", OPERATOR, "/end")

    def reads(self, path: str, words: str) -> None:
        """Wait until anybody who opens the page reads the words."""
        wait_until(lambda: words in self.people.visit(path), f"{words!r} on {path}")

    def reads_no_more(self, path: str, words: str) -> None:
        """Wait until nobody who opens the page reads the words."""
        wait_until(lambda: words not in self.people.visit(path), f"no {words!r} on {path}")

    def outcome(self, activity: str) -> str:
        """Wait until an activity of somebody else was acted on: `done`, or why it was ignored."""

        def found() -> str:
            with self.node.reading() as session:
                query = select(InboxItem).where(InboxItem.uri == activity, InboxItem.state != "new")
                row = session.scalar(query)
                return (row.outcome or row.state) if row else ""

        wait_until(lambda: bool(found()), f"{activity} acted on; refused: {self.refusals()}")
        return found()

    def answers(self, activity_type: str, about: str, to: Neighbour) -> list[int | None]:
        """Wait until an activity of ours is with a neighbour; what that answered, try by try."""
        query = (
            select(Delivery)
            .join(OutboxActivity)
            .where(OutboxActivity.type == activity_type, OutboxActivity.object_uri == about)
            .where(Delivery.host == to.authority, Delivery.finished_at.is_not(None))
            .order_by(Delivery.id.desc())
        )

        def found() -> list[int | None]:
            with self.node.reading() as session:
                row = session.scalars(query.limit(1)).first()
                return [attempt.status for attempt in row.tries] if row else []

        wait_until(lambda: bool(found()), f"{activity_type} of {about} delivered")
        return found()

    def refusals(self) -> list[str]:
        """Whom it refused, and why."""
        with self.node.reading() as session:
            rows = session.scalars(select(RefusalCount))
            return [f"{row.host}: {row.reason} {row.detail}" for row in rows]


@contextmanager
def main_site(front: Front, node_url: str) -> Iterator[None]:
    """The council's web site: of what is asked there, WebFinger alone is sent on to the node."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(301 if self.path.startswith("/.well-known/webfinger?") else 404)
            self.send_header("Location", f"{node_url}{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_given: object) -> None:
            """Nothing is written down."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    front.backends[MAIN] = server.server_port
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def our_council(front: Front, folder: Path, trusted: Path, allowed: str) -> Iterator[OurCouncil]:
    """A council that may reach the server `allowed`, on this machine; with an empty database."""
    given = {
        "base_url": f"https://{front.authority(HOST)}",
        "handle_domain": front.authority(MAIN),
        "listen": f"127.0.0.1:{free_port()}",
        "trusted_proxy": "127.0.0.1",
        "private_hosts": (allowed,),
        "ca_file": str(trusted),
        "jobs": "inside",
        "threads": 4,
    }
    database = f"sqlite:///{folder / 'moothall.db'}"
    set_up_database(NAME, database, folder, **given)
    settings = make_settings(NAME, database, folder, **given)
    node = get_node(create_app(settings))
    process = NodeProcess(settings, runs_program=True)
    front.backends[HOST] = int(settings.listen_address.rpartition(":")[2])
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("PYTHONPATH", str(NAMES))
        changed.setenv("STRANGE_NAMES", str(folder.parent / "strange-names"))
        process.start()
    try:
        with main_site(front, settings.base_url):
            yield OurCouncil(node)
    finally:
        process.ensure_killed()
        node.engine.dispose()
        node.outbound.close()
