"""Commands for our council: its name, blocks, aliases, moves and keys."""

import click

from node.cli.node_context import COMMAND_LINE, open_node, open_work
from node.councils import council_moves, service
from node.errors import NotFoundError
from node.federating.identity import actors
from node.federating.peers import fetching
from node.federating.sync import actor_blocks
from node.messages import msg
from node.operating import key_rotation


@click.group()
def council() -> None:
    """Manage the council of this server."""


@council.command("name")
@click.argument("name")
def change_name(name: str) -> None:
    """Change the council's name to NAME, here and on the servers that follow it."""
    with open_work() as work:
        service.change_name(work, name)
        click.echo(f"The council's name is now {service.require_own(work.session).name}")


@council.group()
def alias() -> None:
    """Manage the council's aliases: old councils that may move here."""


@alias.command("add")
@click.argument("uri")
def add_alias(uri: str) -> None:
    """Add an alias: let the council with the id URI move here."""
    with open_work() as work:
        council_moves.add_alias(work, uri)
        click.echo(f"Added the alias {uri}")


@alias.command("remove")
@click.argument("uri")
def remove_alias(uri: str) -> None:
    """Remove the alias URI."""
    with open_work() as work:
        council_moves.remove_alias(work, uri)
        click.echo(f"Removed the alias {uri}")


@alias.command("list")
def list_aliases() -> None:
    """List the council's aliases."""
    with open_node() as node, node.reading() as session:
        for uri in service.require_own(session).actor.also_known_as:
            click.echo(uri)


@council.command()
@click.argument("address")
def move(address: str) -> None:
    """Move this council to its successor ADDRESS (@council@host or a URL).

    The successor must add an alias for this council first. Followers are asked to follow it.
    """
    with open_node() as node:
        successor = fetching.fetch_actor_by_address(node, address, approved_by_operator=True)
        with node.work(by=COMMAND_LINE) as work:
            council_moves.move(work, successor)
            click.echo(f"This council has moved to {successor.id}")


@council.command()
@click.argument("address")
def block(address: str) -> None:
    """Block ADDRESS (@name@host or a URL), and notify its server."""
    with open_node() as node:
        actor = fetching.fetch_actor_by_address(node, address)
        with node.work(by=COMMAND_LINE) as work:
            row = actor_blocks.block(work, service.require_own(work.session).actor, actor)
            click.echo(f"{row.blocked.name} is blocked")


@council.command()
@click.argument("uri")
def unblock(uri: str) -> None:
    """Unblock the actor with the id URI."""
    with open_work() as work:
        blocked = actors.by_uri(work.session, uri)
        own = service.require_own(work.session).actor
        row = actor_blocks.find_block(work.session, own, blocked) if blocked else None
        if row is None:
            raise NotFoundError(msg("%(uri)s is not blocked.", uri=uri))
        actor_blocks.unblock(work, row)
        click.echo(f"{uri} is no longer blocked")


@council.command("rotate-keys")
@click.option(
    "--drop-old",
    is_flag=True,
    help="Stop accepting the old keys at once, if someone else may have them.",
)
def rotate_keys(drop_old: bool) -> None:
    """Create new keys for the council and all other local actors, and notify the followers.

    Signatures made with the old keys are accepted for another 14 days.
    """
    with open_node() as node:
        pairs = key_rotation.generate_successor_keys(node)
        with node.work(by=COMMAND_LINE) as work:
            number = key_rotation.rotate(work, pairs, drop_old=drop_old)
        is_finished = key_rotation.run_to_completion(node)
    click.echo(f"New keys for {number} actors of this server")
    if not is_finished:
        click.echo("A background job will update the actors and followers that are left.")


@council.command()
def blocks() -> None:
    """List the actors that this council blocks, and those that block it."""
    with open_node() as node, node.reading() as session:
        for row in actor_blocks.list_by_us(session):
            click.echo(f"blocks\t{row.blocked.uri}")
        for row in actor_blocks.list_against_us(session):
            click.echo(f"blocked by\t{row.blocker.uri}")


COMMANDS = (council,)
