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
    help="The first of as many ports as there are councils",
)
@click.option(
    "--councils",
    default=5,
    show_default=True,
    type=click.IntRange(2, 5),
    help="How many councils: two at once, and then the others",
)
def demo(once: bool, port: int, councils: int) -> None:
    """Start councils' nodes on this machine, with projects, that follow each other."""
    if once:
        demonstration.run_once(port)
    else:
        demonstration.run_until_stopped(port, councils)


COMMANDS = (demo,)
