"""The command that shows it all on one machine."""

import click

from node import demo as demonstration


@click.command()
@click.option(
    "--once",
    is_flag=True,
    help="Go through publish, follow, update and delete, say how long each took, and stop.",
)
@click.option(
    "--port",
    default=5101,
    show_default=True,
    type=click.IntRange(1024, 65534),
    help="The first of two ports",
)
def demo(once: bool, port: int) -> None:
    """Start two councils' nodes on this machine, with projects, that follow each other."""
    if once:
        demonstration.once(port)
    else:
        demonstration.stay(port)


COMMANDS = (demo,)
