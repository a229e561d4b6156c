"""Commands about other councils and their servers."""

import click
from sqlalchemy import select

from node.cli.opening import BY, opened, working
from node.councils import service
from node.federating import fetching, peers
from node.federating.models import Peer


@click.group()
def peer() -> None:
    """Other councils' nodes."""


@peer.command()
@click.argument("address")
def follow(address: str) -> None:
    """Allow the server of ADDRESS (@council@host or a URL), and ask to follow that council."""
    with opened() as node:
        found = fetching.find_actor(node, address, vouched=True)
        with node.work(by=BY) as work:
            row = service.follow(work, found, vouched=True)
            click.echo(f"Asked to follow {row.followed.name} ({row.followed.address})")


@peer.command()
@click.argument("host")
def allow(host: str) -> None:
    """Speak with the server HOST."""
    with working() as work:
        click.echo(f"{peers.decide(work, host, peers.ALLOWED).host} is allowed")


@peer.command()
@click.argument("host")
def block(host: str) -> None:
    """Neither listen to the server HOST nor send it anything."""
    with working() as work:
        click.echo(f"{peers.decide(work, host, peers.BLOCKED).host} is blocked")


@peer.command("list")
def list_peers() -> None:
    """Every server we know, and how it goes."""
    with opened() as node, node.reading() as session:
        for row in session.scalars(select(Peer).order_by(Peer.host)):
            click.echo(f"{row.host}\t{row.state}\t{peers.health(row)}\t{row.last_answer}")


COMMANDS = (peer,)
