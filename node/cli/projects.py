"""Commands about projects."""

from pathlib import Path

import click

from node.cli.opening import opened, working
from node.councils import service as councils
from node.federating.readers import OUR_OWN
from node.projects import files, service


@click.group()
def project() -> None:
    """Projects of this council and of those it follows."""


@project.command()
@click.argument("file", type=click.Path(path_type=Path))
def publish(file: Path) -> None:
    """Publish the project in FILE.

    It is Markdown that begins with title, summary and phase between lines of `---`, and with
    visibility (public, peers, private) and language (en, cy) where they differ from the first ones.
    """
    text = files.read(file)
    with working() as work:
        made = service.create(work, councils.require_own(work.session), text)
        service.publish(work, made)
        click.echo(made.uri)


@project.command("list")
def list_projects() -> None:
    """Every published project, ours and others', last changed first."""
    with opened() as node, node.reading() as session:
        number = 1
        while True:
            page = service.listed(session, service.Filter(OUR_OWN), number)
            for row in page.projects:
                click.echo(f"{row.uri}\t{row.phase.value}\t{row.council.name}\t{row.title}")
            if number >= page.pages:
                return
            number += 1


COMMANDS = (project,)
