"""Commands for other servers: following, allowing, blocking, and lists of servers."""

import json
from collections.abc import Sequence
from typing import BinaryIO, TextIO

import click
from sqlalchemy import select

from node.cli.node_context import COMMAND_LINE, open_node, open_work
from node.councils import service
from node.federating.models import Peer, PeerList
from node.federating.peers import fetching, peer_list_subscriptions, peer_lists, peer_suggestions
from node.federating.peers import service as peers

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
comment = click.option("--comment", default="", help="The reason. Exported lists include it.")


@click.group()
def peer() -> None:
    """Manage other councils' servers."""


@peer.command()
@click.argument("address")
def follow(address: str) -> None:
    """Allow the server of ADDRESS (@council@host or a URL), and ask to follow that council."""
    with open_node() as node:
        actor = fetching.fetch_actor_by_address(node, address, approved_by_operator=True)
        with node.work(by=COMMAND_LINE) as work:
            row = service.follow(work, actor, approved_by_operator=True)
            click.echo(f"Asked to follow {row.followed.name} ({row.followed.address})")


@peer.command()
@click.argument("address")
def unfollow(address: str) -> None:
    """Stop following the council at ADDRESS (@council@host or a URL). Its projects are no longer
    listed; its server stays allowed.
    """
    with open_work() as work:
        ended = service.unfollow(work, address)
        click.echo(f"No longer following {ended.name} ({ended.actor.address})")


@peer.command()
@click.argument("host")
@comment
def allow(host: str, comment: str) -> None:
    """Allow the server HOST to exchange data with this one."""
    with open_work() as work:
        click.echo(f"{peers.decide(work, host, peers.ALLOWED, comment).host} is allowed")


@peer.command()
@click.argument("host")
@comment
def block(host: str, comment: str) -> None:
    """Block HOST and its subdomains: exchange no data with them."""
    with open_work() as work:
        click.echo(f"{peers.decide(work, host, peers.BLOCKED, comment).host} is blocked")


@peer.command()
@click.argument("host")
def unblock(host: str) -> None:
    """Reset HOST to neither blocked nor allowed."""
    with open_work() as work:
        click.echo(f"{peers.reset_decision(work, host).host} is neither blocked nor allowed")


@peer.command()
@click.argument("host")
def forget(host: str) -> None:
    """Reset HOST as `unblock` does, and delete its delivery history."""
    with open_work() as work:
        peers.forget_host(work, host)
        click.echo(f"{peers.normalise_host(host)} is reset, and its delivery history is deleted")


@peer.command("list")
@as_json
def list_peers(as_json: bool) -> None:
    """List all known servers: host, state, health, last response."""
    with open_node() as node, node.reading() as session:
        rows = [_describe_peer(row) for row in session.scalars(select(Peer).order_by(Peer.host))]
        _print_rows(rows, ("host", "state", "health", "last_answer"), as_json=as_json)


@peer.command()
@as_json
def suggestions(as_json: bool) -> None:
    """List servers that other servers suggest and that are neither allowed nor blocked yet."""
    with open_node() as node, node.reading() as session:
        rows = [_describe_peer(row) for row in peer_suggestions.list_suggestions(session)]
        _print_rows(rows, ("host", "found_from", "comment"), as_json=as_json)


@peer.command("export")
@click.argument("file", type=click.File("w", encoding="utf-8"))
@click.option("--state", type=click.Choice([peers.ALLOWED, peers.BLOCKED]))
@click.option("--format", "list_format", type=click.Choice(["plain", "mastodon"]), default="plain")
def export_list(file: TextIO, state: str | None, list_format: peer_lists.PeerListFormat) -> None:
    """Write the servers that are allowed or blocked to FILE, or to `-`, as CSV."""
    with open_node() as node, node.reading() as session:
        states = (state,) if state else ()
        file.write(peer_lists.dump_csv(peer_lists.list_decided(session, *states), list_format))


@peer.command("import")
@click.argument("file", type=click.File("rb"))
def import_list(file: BinaryIO) -> None:
    """Import a list of servers from FILE or `-`. If a line is invalid, nothing is imported."""
    entries = peer_lists.require_valid(peer_lists.parse_list(file.read(peer_lists.MAX_BYTES + 1)))
    with open_node() as node:
        result = peer_lists.import_entries(node, COMMAND_LINE, entries)
    click.echo(f"{result.new_count} servers changed, {result.unchanged_count} unchanged")
    for host in result.overridden_hosts:
        click.echo(f"{host} keeps the decision made on this server")


@peer.command()
@click.argument("url")
@click.option(
    "--may-allow",
    is_flag=True,
    help="Allow the servers that the list allows, instead of only suggesting them.",
)
def subscribe(url: str, may_allow: bool) -> None:
    """Subscribe to the list of servers at URL: read it every day, and block what it blocks."""
    with open_work() as work:
        row = peer_list_subscriptions.subscribe(work, url, may_allow=may_allow)
        click.echo(f"Subscribed to {row.url}")


@peer.command()
@click.argument("url")
def unsubscribe(url: str) -> None:
    """Unsubscribe from the list at URL, and undo its decisions."""
    with open_node() as node:
        peer_list_subscriptions.unsubscribe(node, COMMAND_LINE, url)
    click.echo(f"Unsubscribed from {url}")


@peer.command()
@as_json
def lists(as_json: bool) -> None:
    """List the subscriptions: address, entries, last read, result."""
    with open_node() as node, node.reading() as session:
        rows = [_describe_list(row) for row in peer_list_subscriptions.list_all(session)]
        _print_rows(rows, ("url", "entries", "fetched_at", "outcome"), as_json=as_json)


def _print_rows(rows: list[dict[str, object]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print the rows as JSON, or as lines of `columns` separated by tabs."""
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        click.echo("\t".join("" if row[name] is None else str(row[name]) for name in columns))


def _describe_peer(row: Peer) -> dict[str, object]:
    return {
        "host": row.host,
        "state": row.state,
        "comment": row.comment,
        "list": row.peer_list.url if row.peer_list else None,
        "found_from": row.found_from,
        "software": row.software,
        "health": peers.health_state(row),
        "last_answer": row.last_answer,
    }


def _describe_list(row: PeerList) -> dict[str, object]:
    return {
        "url": row.url,
        "may_allow": row.may_allow,
        "entries": row.entries,
        "fetched_at": row.fetched_at.isoformat() if row.fetched_at else None,
        "outcome": row.outcome,
    }


COMMANDS = (peer,)
