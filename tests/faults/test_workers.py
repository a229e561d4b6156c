"""`moothall worker` killed, stopped, and woken: nothing that waits is forgotten or held."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from redis import Redis
from sqlalchemy import func, select, update

from node.access.permissions import OFFICER
from node.app import create_app, get_node
from node.councils import service as councils
from node.database.tables import now
from node.federating.models import (
    Actor,
    ActorDeletion,
    Backfill,
    Comparison,
    Delivery,
    Follow,
    InboxItem,
    OutboxActivity,
    PeerList,
)
from node.federating.peers import service as peers
from node.mail.models import Mail
from node.people.models import User
from node.principal import Principal
from node.queue.mixins import QueueMixin
from node.runtime import Node
from node.settings import Settings
from node.testing.http_users import HttpUsers
from node.testing.nodes import make_settings, set_up_database
from node.testing.postgres import PostgresServer
from node.testing.processes import NodeProcess, free_port, wait_until
from node.webhooks.models import Webhook, WebhookMessage

# Where Huey keeps wake-ups in Redis.
QUEUE = "huey.redis.moothall"
LONG_AGO = now() - timedelta(hours=1)
# A commit with a new project takes as long as somebody holds this lock.
HELD = 4711
SLOW_COMMITS = f"""
    CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM set_config('lock_timeout', '0', true);
        PERFORM pg_advisory_xact_lock({HELD});
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER wait_for_test AFTER INSERT ON project
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_for_test()
"""


class Hanging:
    """Servers on loopback that accept connections and never answer; each is a host."""

    def __init__(self, number: int) -> None:
        self._servers = [socket.create_server(("127.0.0.1", 0), backlog=64) for _ in range(number)]
        self.hosts = [f"localhost:{server.getsockname()[1]}" for server in self._servers]

    def close(self) -> None:
        for server in self._servers:
            server.close()


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    with closing(Hanging(3)) as made:
        yield made


@contextmanager
def council(
    postgres: PostgresServer, folder: Path, redis_url: str, hosts: list[str], **more: object
) -> Iterator[tuple[Settings, Node]]:
    """The settings of a council's processes, and its database seen from outside."""
    database, port = postgres.create_database(), free_port()
    given: dict[str, object] = {
        "base_url": f"http://localhost:{port}",
        "listen": f"127.0.0.1:{port}",
        "private_hosts": tuple(hosts),
        "jobs": redis_url,
        **more,
    }
    url = postgres.url(database)
    set_up_database("aldermoor", url, folder, **given)
    settings = make_settings("aldermoor", url, folder, **given)
    node = get_node(create_app(settings))
    with Redis.from_url(redis_url) as redis:
        redis.flushall()
    yield settings, node
    node.engine.dispose()
    postgres.drop_database(database)


def actor_at(host: str) -> Actor:
    uri = f"http://{host}/actor"
    return Actor(
        uri=uri,
        kind="Organization",
        host=host,
        username="council",
        name=host,
        inbox=f"http://{host}/inbox",
    )


def delivery_to(node: Node, actor: Actor, number: int) -> Delivery:
    activity = OutboxActivity(
        uri=f"{node.settings.base_url}/activities/{number}",
        type="Create",
        object_uri=f"{node.settings.base_url}/objects/{number}",
        body="{}",
        audience="public",
    )
    return Delivery(
        activity=activity, inbox=actor.inbox, host=actor.host, object_uri=activity.object_uri
    )


def one_of_each(node: Node, host: str) -> None:
    """A row in each queue, which a worker that is dead had leased until a moment ago."""
    with node.work(by=Principal.job("test")) as work:
        council = councils.require_own(work.session)
        peers.decide(work, host, peers.ALLOWED)
        actor = actor_at(host)
        follow = Follow(uri=f"http://{host}/follow", state="accepted")
        follow.follower, follow.followed = council.actor, actor
        user = work.session.scalars(select(User)).first()
        delivery = delivery_to(node, actor, 1)
        delivery.activity.actor = council.actor
        item = InboxItem(
            uri=f"http://{host}/1",
            host=host,
            actor_uri=actor.uri,
            type="Create",
            body={},
            needs_fetch=False,
        )
        rows: list[Any] = [
            delivery,
            item,
            Backfill(actor=actor, next_page=f"http://{host}/page"),
            Comparison(actor=actor),
            ActorDeletion(actor=actor, host=host),
            PeerList(url=f"http://{host}/peers.csv"),
            Mail(recipient="olu@aldermoor.example", subject="S", text="T"),
            WebhookMessage(
                webhook=Webhook(user=user, url=f"http://{host}/hook", events=[]),
                event="project.published",
                body="{}",
            ),
        ]
        assert {type(row) for row in rows} == set(QueueMixin.__subclasses__()), "every queue"
        for row in rows:
            row.leased_until = LONG_AGO
        work.session.add_all([actor, follow, *rows])


def untouched(node: Node) -> list[str]:
    """The queues whose row is as the dead worker left it."""
    with node.reading() as session:
        return [
            row.JOB
            for row in QueueMixin.__subclasses__()
            if session.scalar(select(func.count()).where(row.leased_until == LONG_AGO))
        ]


def leased(node: Node, row: type[QueueMixin] = Delivery) -> int:
    with node.reading() as session:
        return session.scalar(select(func.count()).where(row.leased_until > now())) or 0


def test_a_worker_takes_up_what_a_dead_one_held_in_every_queue(
    postgres: PostgresServer, tmp_path: Path, redis_url: str, hanging: Hanging
) -> None:
    with council(postgres, tmp_path, redis_url, hanging.hosts) as (settings, node):
        one_of_each(node, hanging.hosts[0])
        worker = NodeProcess(settings, command="worker")
        worker.launch()
        try:
            wait_until(
                lambda: not untouched(node),
                "all is taken up",
                describe_state=lambda: f"{untouched(node)} {worker.log.read_text()[-2000:]}",
            )
            wait_until(lambda: leased(node) == 1, "it delivers")
            worker.kill()
            assert leased(node) == 1, "killed, it lets go of nothing"
            with node.work(by=Principal.job("test")) as work:
                stands = Delivery.leased_until.is_not(None)
                work.session.execute(update(Delivery).where(stands).values(leased_until=LONG_AGO))
            worker.launch()
            wait_until(lambda: not untouched(node), "the next one takes it up")
        finally:
            worker.ensure_killed()


def test_a_worker_that_is_stopped_holds_nothing(
    postgres: PostgresServer, tmp_path: Path, redis_url: str, hanging: Hanging
) -> None:
    """What it had leased and not begun is free at once."""
    more = {"delivery_threads": 1}
    with council(postgres, tmp_path, redis_url, hanging.hosts, **more) as (settings, node):
        with node.work(by=Principal.job("test")) as work:
            own = councils.require_own(work.session).actor
            for number, host in enumerate(hanging.hosts):
                peers.decide(work, host, peers.ALLOWED)
                delivery = delivery_to(node, actor_at(host), number)
                delivery.activity.actor = own
                work.session.add(delivery)
        worker = NodeProcess(settings, command="worker")
        worker.launch()
        try:
            wait_until(lambda: leased(node) == 2, "one is under way, and one waits for its thread")
            worker.stop()
        finally:
            worker.ensure_killed()
        assert leased(node) == 0


def test_nobody_is_woken_before_the_commit(
    postgres: PostgresServer, tmp_path: Path, redis_url: str
) -> None:
    """A worker that was quicker would find nothing, and come again in a minute."""
    with ExitStack() as stack:
        settings, node = stack.enter_context(council(postgres, tmp_path, redis_url, []))
        redis = stack.enter_context(Redis.from_url(redis_url))
        url = node.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
        database = stack.enter_context(psycopg.connect(url, autocommit=True))
        database.execute(SLOW_COMMITS)
        process = NodeProcess(settings)
        process.start()
        stack.callback(process.ensure_killed)
        people = HttpUsers("aldermoor", settings)
        people.visit("/projects/new", OFFICER)

        def wake_ups() -> int:
            return int(redis.llen(QUEUE))

        def is_committing() -> bool:
            query = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            return database.execute(query).fetchone() is not None

        redis.flushall()
        database.execute(f"SELECT pg_advisory_lock({HELD})")
        pool = stack.enter_context(ThreadPoolExecutor(1))
        saved = pool.submit(
            people.submit,
            "/projects/new",
            OFFICER,
            title="Bins",
            summary="S",
            phase="beta",
            brief="B",
            then="publish",
        )
        wait_until(is_committing, "it is about to be committed")
        seen = max(wake_ups() for _ in range(200))
        database.execute(f"SELECT pg_advisory_unlock({HELD})")
        saved.result(60)
        assert seen == 0
        wait_until(lambda: wake_ups() > 0, "woken after the commit")
