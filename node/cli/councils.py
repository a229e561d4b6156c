"""Commands about our council: its name, whom it blocks, and where it goes."""

import click

from node.cli.node_context import COMMAND_LINE, open_node, open_work
from node.councils import council_moves, service
from node.errors import NotFoundError
from node.federating import actor_blocks, actors, fetching
from node.messages import msg
from node.operating import key_rotation


@click.group()
def council() -> None:
    """The council of this node."""


@council.command("name")
@click.argument("name")
def change_name(name: str) -> None:
    """Call the council NAME, here and wherever it is followed."""
    with open_work() as work:
        service.change_name(work, name)
        click.echo(f"The council is called {service.require_own(work.session).name}")


@council.group()
def alias() -> None:
    """Other actors that are this council too: by that they may move here."""


@alias.command("add")
@click.argument("uri")
def add_alias(uri: str) -> None:
    """Say that this council is also the actor with the id URI."""
    with open_work() as work:
        council_moves.add_alias(work, uri)
        click.echo(f"This council is also {uri}")


@alias.command("remove")
@click.argument("uri")
def remove_alias(uri: str) -> None:
    """No longer say so."""
    with open_work() as work:
        council_moves.remove_alias(work, uri)
        click.echo(f"This council is not {uri}")


@alias.command("list")
def list_aliases() -> None:
    """Every other actor that this council says it is."""
    with open_node() as node, node.reading() as session:
        for uri in service.require_own(session).actor.also_known_as:
            click.echo(uri)


@council.command()
@click.argument("address")
def move(address: str) -> None:
    """This council is no more: its successor is ADDRESS (@council@host or a URL).

    The successor has to say first that it is this council too. Followers are told to follow it.
    """
    with open_node() as node:
        found = fetching.find_actor(node, address, approved_by_operator=True)
        with node.work(by=COMMAND_LINE) as work:
            council_moves.move(work, found)
            click.echo(f"This council has moved to {found.id}")


@council.command()
@click.argument("address")
def block(address: str) -> None:
    """Neither hear nor show ADDRESS (@name@host or a URL), and tell it so."""
    with open_node() as node:
        found = fetching.find_actor(node, address)
        with node.work(by=COMMAND_LINE) as work:
            row = actor_blocks.block(work, service.require_own(work.session).actor, found)
            click.echo(f"{row.blocked.name} is blocked")


@council.command()
@click.argument("uri")
def unblock(uri: str) -> None:
    """Take the block of the actor with the id URI back."""
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
    help="Let the old keys count no more: for when somebody else may have them.",
)
def rotate_keys(drop_old: bool) -> None:
    """Make new keys for the council and all else that signs here, and tell the followers.

    What the old keys signed counts for fourteen days more.
    """
    with open_node() as node:
        pairs = key_rotation.generate_keys(node)
        with node.work(by=COMMAND_LINE) as work:
            number = key_rotation.rotate(work, pairs, drop_old=drop_old)
        is_finished = key_rotation.finish(node)
    click.echo(f"New keys for {number} actors of this node")
    if not is_finished:
        click.echo("Some of them, or their followers, are not up to date yet. A job will finish.")


@council.command()
def blocks() -> None:
    """Whom this council blocks, and who blocks it."""
    with open_node() as node, node.reading() as session:
        for row in actor_blocks.list_by_us(session):
            click.echo(f"blocks\t{row.blocked.uri}")
        for row in actor_blocks.list_against_us(session):
            click.echo(f"blocked by\t{row.blocker.uri}")


COMMANDS = (council,)
