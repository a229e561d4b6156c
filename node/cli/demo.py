"""The command that runs a demonstration on one machine."""

import click

from node import demo as demonstration


@click.command()
@click.option(
    "--once",
    is_flag=True,
    help="Publish, follow, update and delete once, print how long each took, and stop.",
)
@click.option(
    "--port",
    default=5101,
    show_default=True,
    type=click.IntRange(1024, 65534),
    help="The first port. Each council uses one.",
)
@click.option(
    "--councils",
    default=5,
    show_default=True,
    type=click.IntRange(2, 5),
    help="The number of councils. Two start first, then the others.",
)
def demo(once: bool, port: int, councils: int) -> None:
    """Start several councils on this machine, with projects, that follow each other."""
    if once:
        demonstration.run_once(port)
    else:
        demonstration.run_until_stopped(port, councils)


COMMANDS = (demo,)
