"""A node with many followers, which are all one server under many names. Run as
`python -m bench.sending_node FOLDER PORT AUTHORITY` it sends what waits, as a
worker does, and ends.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import insert, select

from federation.vocabulary import create
from node.app import create_app, get_node
from node.councils import service as councils
from node.federating.identity import local_uris
from node.federating.models import Actor, Follow, Peer
from node.federating.outbound import delivery, outbox
from node.outbound import OutboundClient
from node.principal import Principal
from node.runtime import Node
from node.testing.nodes import make_settings, set_up_database

SINK_DOMAIN = "sinks.test"
ARTICLE_TEXT = "What a project is about, in a few paragraphs. " * 60


def list_hosts(number: int, port: int) -> list[str]:
    return [f"h{index}.{SINK_DOMAIN}:{port}" for index in range(number)]


def create_client(port: int, authority: Path, followers: int) -> OutboundClient:
    """The node's own client, for which all names lead here."""
    return OutboundClient(
        user_agent="Moothall bench",
        private_hosts=list_hosts(followers, port),
        ca_file=str(authority),
        resolver=lambda _host: ["127.0.0.1"],
    )


def create_node(folder: Path, names: Sequence[str]) -> None:
    """A node in `folder` that those hosts follow."""
    set_up_database("aldermoor", _database_url(folder), folder)
    node = get_node(create_app(make_settings("aldermoor", _database_url(folder), folder)))
    with node.work(by=Principal.job("bench")) as work:
        session = work.session
        session.execute(insert(Peer), [{"host": host, "state": "allowed"} for host in names])
        session.execute(insert(Actor), [_actor_row(host) for host in names])
        council = councils.get_own(session)
        assert council is not None
        actors = session.scalars(select(Actor.id).where(Actor.host.in_(names))).all()
        follows = [
            {
                "uri": f"https://follows.test/{number}",
                "follower_id": number,
                "followed_id": council.actor_id,
                "state": "accepted",
            }
            for number in actors
        ]
        session.execute(insert(Follow), follows)
    node.engine.dispose()


def _actor_row(host: str) -> dict[str, str]:
    uri = f"https://{host}/actor"
    told = {"kind": "Organization", "host": host, "username": "council", "name": host}
    return {"uri": uri, "inbox": f"https://{host}/inbox", **told}


def open_node(folder: Path, outbound: OutboundClient) -> Node:
    return get_node(create_app(make_settings("aldermoor", _database_url(folder), folder), outbound))


def publish_activity(node: Node) -> None:
    """One activity of its council to all who follow it."""
    with node.work(by=Principal.job("bench")) as work:
        council = councils.get_own(work.session)
        assert council is not None
        uri = local_uris.new_activity(work.settings)
        article = {"id": f"{uri}/article", "type": "Article", "content": ARTICLE_TEXT}
        outbox.publish(work, council.actor, create(uri, council.actor.uri, article))


def _database_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'bench.db'}"


if __name__ == "__main__":
    folder_argument, port_argument, certificate_argument, followers_argument = sys.argv[1:]
    delivery.run_job(
        open_node(
            Path(folder_argument),
            create_client(int(port_argument), Path(certificate_argument), int(followers_argument)),
        )
    )
