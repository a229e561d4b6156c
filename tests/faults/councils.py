"""Two councils' nodes, each a process with a proxy in front, and what their people do and see."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from sqlalchemy import func, select

from federation.vocabulary import create
from node.access.permissions import OFFICER, OPERATOR
from node.app import create_app, get_node
from node.councils import service as councils
from node.database.tables import now
from node.federating.identity import local_uris
from node.federating.models import Backfill, Delivery, InboxItem
from node.federating.outbound import outbox
from node.federating.peers import service as peers
from node.principal import Principal
from node.projects import service as projects
from node.projects.models import Project, ProjectState
from node.projects.validation import ProjectInput
from node.runtime import Node
from node.testing.http_users import HttpUsers
from node.testing.nodes import make_settings, set_up_database
from node.testing.processes import NodeProcess, free_port, wait_until
from tests.faults.stalling import Proxy

NAMES = ("aldermoor", "brackwell")
# How a delivery ends whose object was deleted while it waited: no fault, and not to be repeated.
OVERTAKEN = "It was withdrawn before it arrived."
_numbers = count(1)


@dataclass
class Running:
    """One council: its process, the proxy in front of it, and its database seen from outside."""

    name: str
    process: NodeProcess
    proxy: Proxy
    node: Node
    people: HttpUsers = field(init=False)

    def __post_init__(self) -> None:
        self.people = HttpUsers(self.name, self.node.settings)

    @property
    def address(self) -> str:
        return f"@{self.name}@{self.node.settings.authority}"

    def publish(self) -> str:
        """An officer writes a project and publishes it; its title."""
        title = f"Project {next(_numbers)} of {self.name}"
        self.people.submit(
            "/projects/new",
            OFFICER,
            title=title,
            summary="A short sentence.",
            phase="alpha",
            brief="It is needed.",
            then="publish",
        )
        return title

    def path_of(self, title: str) -> str:
        """Where a project of this council is."""
        with self.node.reading() as session:
            token = session.scalars(select(Project.token).where(Project.title == title)).one()
            return f"/projects/{token}"

    def publish_by_id(self) -> str:
        """Publish a project, and tell the followers its id alone: they have to ask for it."""
        title = f"Project {next(_numbers)} of {self.name}"
        with self.node.work(by=Principal.job("test")) as work:
            text = ProjectInput(title, "A short sentence.", "alpha", "It is needed.")
            project = projects.create(work, councils.require_own(work.session), text)
            project.state, project.published_at = ProjectState.published, now()
            actor, uri = project.council.actor, local_uris.new_activity(work.settings)
            outbox.publish(work, actor, create(uri, actor.uri, project.uri))
        return title

    def shown(self, title: str) -> int:
        """How often a reader sees the title among the projects of others."""
        return self.people.visit("/projects?origin=others").count(f">{title}<")


@contextmanager
def pair(
    folder: Path, databases: dict[str, str], *, as_program: bool
) -> Iterator[tuple[Running, Running]]:
    """Two councils that run and allow each other; the second follows the first."""
    ports = {name: (free_port(), free_port()) for name in NAMES}
    public = tuple(f"localhost:{outer}" for outer, _inner in ports.values())
    with ExitStack() as stack:
        made = []
        for name, (outer, inner) in ports.items():
            (folder / name).mkdir(exist_ok=True)
            given = {
                "base_url": f"http://localhost:{outer}",
                "listen": f"127.0.0.1:{inner}",
                "private_hosts": public,
                "jobs": "inside",
                "threads": 4,
            }
            set_up_database(name, databases[name], folder / name, **given)
            settings = make_settings(name, databases[name], folder / name, **given)
            node = get_node(create_app(settings))
            stack.callback(node.engine.dispose)
            with node.work(by=Principal.job("test")) as work:
                for host in public:
                    if host != settings.authority:
                        peers.decide(work, host, peers.ALLOWED)
            process = NodeProcess(settings, as_program)
            proxy = stack.enter_context(Proxy(outer, inner).running())
            made.append(Running(name, process, proxy, node))
            process.launch()
            stack.callback(process.ensure_killed)
        here, there = made
        for one in made:
            one.process.wait()
        there.people.submit("/councils/follow", OPERATOR, address=here.address)
        wait_until(lambda: "Follow" in handled(here) and "Accept" in handled(there), "they follow")
        yield here, there


def handled(one: Running) -> set[str]:
    """The types of the activities that were acted on."""
    with one.node.reading() as session:
        return set(session.scalars(select(InboxItem.type).where(InboxItem.state == "done")))


def arrives_once(there: Running, here: Running, *titles: str) -> None:
    """Wait until readers see every title, then look that nothing is there twice or left behind."""
    for title in titles:
        is_shown_once(there, title)
    with there.node.reading() as session:
        published = Project.state == ProjectState.published
        rows = session.scalars(select(Project.title).where(published, Project.title.in_(titles)))
        assert sorted(rows) == sorted(titles)
        activities = select(func.count()).select_from(InboxItem)
        distinct = select(func.count(InboxItem.uri.distinct()))
        assert session.scalar(activities) == session.scalar(distinct)
    wait_until(
        lambda: not waiting(here, there), "nothing waits", describe_state=lambda: left(here, there)
    )


def is_shown_once(one: Running, title: str) -> None:
    """Wait until readers see the title. The page is asked once it is there: that takes longer."""
    wait_until(lambda: has(one, title), f"{title} at {one.name}")
    wait_until(lambda: one.shown(title) > 0, f"{title} at {one.name}")
    assert one.shown(title) == 1


def has(one: Running, title: str) -> bool:
    with one.node.reading() as session:
        return session.scalar(select(Project.id).where(Project.title == title)) is not None


def waiting(*councils: Running) -> int:
    """Deliveries and messages that are still to be acted on, and deliveries that were given up."""
    return sum(len(_unsent(one)) + len(_unhandled(one)) for one in councils)


def left(*councils: Running) -> str:
    """The same in words."""
    return "; ".join(
        f"{one.name}: {each}" for one in councils for each in (*_unsent(one), *_unhandled(one))
    )


def _unsent(one: Running) -> list[str]:
    with one.node.reading() as session:
        rows = session.scalars(select(Delivery).where(Delivery.state != "delivered"))
        said = [(row, [each.answer for each in row.tries]) for row in rows]
        return [
            f"{row.object_uri} is {row.state}, due {row.due_at}, {answers}"
            for row, answers in said
            if not (row.state == "failed" and answers[-1:] == [OVERTAKEN])
        ]


def _unhandled(one: Running) -> list[str]:
    with one.node.reading() as session:
        items = session.scalars(select(InboxItem).where(InboxItem.state == "new"))
        return [f"{each.type} of {each.object_uri}, due {each.due_at}" for each in items]


def tried(one: Running) -> bool:
    """Whether something was sent in vain, and is still to be delivered."""
    with one.node.reading() as session:
        query = select(Delivery.id).where(Delivery.state == "pending", Delivery.attempts > 0)
        return session.scalar(query) is not None


def reading(one: Running) -> bool:
    """Whether it still reads what a council had published before."""
    with one.node.reading() as session:
        return session.scalar(select(Backfill.id).where(Backfill.state == "running")) is not None
