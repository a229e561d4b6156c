"""Two councils of which one is told nothing for a while, and what makes them agree again."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from node.access.visibility import Visibility
from node.councils import service as councils
from node.councils.models import Council
from node.database.tables import now
from node.federating.models import Actor, Comparison, Delivery
from node.projects import service as projects
from node.projects.models import Project, ProjectState
from node.projects.validation import ProjectInput
from node.testing.nodes import Nodes, TestNode
from node.testing.postgres import PostgresServer
from node.updates import service as updates
from node.updates.models import Update, UpdateState

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass
class Counting:
    """A node as others reach it, and what they ask of it."""

    app: "WSGIApplication"
    asked: list[str] = field(default_factory=list)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "Iterator[bytes]":
        self.asked.append(f"{environ['REQUEST_METHOD']} {environ['REQUEST_URI']}")
        return iter(self.app(environ, start_response))


def count_requests(nodes: Nodes, one: TestNode) -> list[str]:
    """What is asked of `one` from now on."""
    counting = Counting(one.app)
    nodes.apps[one.host] = counting
    return counting.asked


def text(title: str, visibility: str = "public") -> ProjectInput:
    return ProjectInput(title, "A short sentence.", "alpha", f"Of {title}.", visibility)


def publish(one: TestNode, *titles: str, visibility: str = "public") -> None:
    with one.work() as work:
        for title in titles:
            council = councils.require_own(work.session)
            projects.publish(work, projects.create(work, council, text(title, visibility)))


def change(one: TestNode, title: str, new: str, visibility: str = "public") -> None:
    with one.work() as work:
        project = _ours(work.session, title)
        projects.update(work, project, text(new, visibility), project.version)


def remove(one: TestNode, title: str) -> None:
    with one.work() as work:
        projects.delete(work, _ours(work.session, title))


def tell(one: TestNode, title: str, *said: str) -> None:
    """Write updates of a project."""
    with one.work() as work:
        for changed in said:
            updates.create(work, _ours(work.session, title), updates.UpdateInput(changed))


def change_update(one: TestNode, said: str, new: str) -> None:
    with one.work() as work:
        update = _our_update(work.session, said)
        updates.change(work, update, updates.UpdateInput(new), update.version)


def remove_update(one: TestNode, said: str) -> None:
    with one.work() as work:
        updates.delete(work, _our_update(work.session, said))


def _our_update(session, said: str) -> Update:  # type: ignore[no-untyped-def]
    found: Update = session.scalars(select(Update).where(Update.changed == said)).one()
    return found


def _ours(session, title: str) -> Project:  # type: ignore[no-untyped-def]
    found: Project = session.scalars(select(Project).where(Project.title == title)).one()
    return found


def lose_deliveries(one: TestNode) -> None:
    """As if all had been tried in vain for longer than anything is tried."""
    with one.work() as work:
        waiting = update(Delivery).where(Delivery.state == "pending")
        work.session.execute(waiting.values(state="failed", finished_at=now()))


def forget_deliveries(one: TestNode) -> None:
    """As if nobody had ever meant to send anything."""
    with one.work() as work:
        work.session.execute(delete(Delivery))


def held(one: TestNode, council: TestNode) -> dict[str, tuple[str, str]]:
    """The projects of a council that a node shows others or knows: revision and title by id."""
    with one.reading() as session:
        rows = session.scalars(
            select(Project)
            .join(Council)
            .join(Actor)
            .where(
                Actor.uri == council.council_uri,
                Project.state == ProjectState.published,
                Project.visibility != Visibility.private,
            )
        )
        return {row.uri: (row.revision, row.title) for row in rows}


def held_updates(one: TestNode, council: TestNode) -> dict[str, tuple[str, str, str]]:
    """The updates of those projects: revision, project and content by id."""
    shown = held(one, council)
    with one.reading() as session:
        rows = session.scalars(select(Update).where(Update.state == UpdateState.published))
        return {
            row.uri: (row.revision, row.project.uri, row.content)
            for row in rows
            if row.project.uri in shown
        }


def said(one: TestNode, council: TestNode) -> set[str]:
    """What the updates say, in one word each."""
    found = held_updates(one, council).values()
    return {content.partition("<p>")[2].partition("</p>")[0] for _, _, content in found}


def compare(nodes: Nodes, one: TestNode) -> None:
    """As if the time of the next comparison had come; no more is done by anybody."""
    with one.work() as work:
        work.session.execute(update(Comparison).values(due_at=now()))
        work.wake(Comparison.JOB)
    nodes.run_until_idle()


def comparison(one: TestNode) -> Comparison:
    with one.reading() as session:
        row = session.scalars(select(Comparison)).one()
        session.expunge_all()
        return row


@contextmanager
def unreachable(nodes: Nodes, one: TestNode) -> Iterator[None]:
    app = nodes.apps.pop(one.host)
    yield
    nodes.apps[one.host] = app


def backup(
    one: TestNode, postgres: Callable[[], PostgresServer], folder: Path
) -> Callable[[], None]:
    """Copy the database of a node now; what is returned puts the copy in its place."""
    engine = one.node.engine
    engine.dispose()
    name = engine.url.database or ""
    if engine.dialect.name == "sqlite":
        copy = folder / f"{one.name}.copy"
        shutil.copy(name, copy)

        def restore() -> None:
            engine.dispose()
            for suffix in ("-wal", "-shm"):
                Path(f"{name}{suffix}").unlink(missing_ok=True)
            shutil.copy(copy, name)
            one.node.invalidate_caches()

        return restore
    server = postgres()
    kept = server.create_database(name)

    def restore_on_server() -> None:
        engine.dispose()
        server.replace_database(name, kept)
        one.node.invalidate_caches()

    return restore_on_server
