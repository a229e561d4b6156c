"""Commands about the index of projects, and the list of services."""

from pathlib import Path

import click

from node import long_writes
from node.cli.node_context import open_node, open_work
from node.search import indexing
from node.services import service as services_service


@click.group()
def search() -> None:
    """The index in which projects are found."""


@search.command()
def rebuild() -> None:
    """Make the index anew. What is there goes on answering until it is replaced."""
    with open_node() as node:
        with node.work(by="command line") as work:
            number = indexing.rebuild(work)
        long_writes.run_job(node, [indexing.REBUILD_INDEX])
        indexing.run_job(node, rest=0)
    click.echo(f"{number:,} projects were read into the index")


@search.command("status")
def status() -> None:
    """How many changes of projects wait to be read into the index."""
    with open_node() as node, node.reading() as session:
        click.echo(f"{indexing.count_waiting(session):,} changes of projects wait")


@click.group()
def services() -> None:
    """The Local Government Service List."""


@services.command()
@click.argument("file", type=click.Path(path_type=Path))
def load(file: Path) -> None:
    """Use the list in FILE, a CSV with a column of numbers and one of names.

    The whole list can be had from https://standards.esd.org.uk/.
    """
    with open_work() as work:
        click.echo(f"{services_service.load_csv(work, file):,} services are known")


COMMANDS = (search, services)
