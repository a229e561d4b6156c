"""Commands for the search index and the list of services."""

from pathlib import Path

import click

from node.cli.node_context import COMMAND_LINE, open_node, open_work
from node.queue import batched_writes
from node.search import indexing
from node.services import service as services_service


@click.group()
def search() -> None:
    """Manage the search index of projects."""


@search.command()
def rebuild() -> None:
    """Rebuild the index. Searches use the old index until it is replaced."""
    with open_node() as node:
        with node.work(by=COMMAND_LINE) as work:
            number = indexing.rebuild(work)
        batched_writes.run_job(node, [indexing.REBUILD_INDEX])
        indexing.run_job(node, pause_factor=0)
    click.echo(f"Indexed {number:,} projects")


@search.command("status")
def status() -> None:
    """Print how many changes to projects are waiting to be indexed."""
    with open_node() as node, node.reading() as session:
        click.echo(f"Waiting to be indexed: {indexing.count_waiting(session):,} changes")


@click.group()
def services() -> None:
    """Manage the Local Government Service List."""


@services.command()
@click.argument("file", type=click.Path(path_type=Path))
def load(file: Path) -> None:
    """Load the list in FILE, a CSV with a column of numbers and one of names.

    Download the full list from https://standards.esd.org.uk/.
    """
    with open_work() as work:
        click.echo(f"Loaded {services_service.load_csv(work, file):,} services")


COMMANDS = (search, services)
