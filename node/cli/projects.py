"""Commands about projects."""

from dataclasses import replace
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from node.cli.opening import BY, opened, working
from node.councils import service as councils
from node.errors import NotFoundError
from node.federating.readers import OUR_OWN
from node.importing import markdown
from node.projects import rendering, service
from node.projects.models import Project
from node.projects.writing import text_of
from node.updates import service as updates
from node.wording import say


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
    text = markdown.read(file)
    rendering.prepare(text)
    with working() as work:
        made = service.create(work, councils.require_own(work.session), text)
        service.publish(work, made)
        click.echo(made.uri)


@project.command()
@click.argument("id")
@click.argument("file", type=click.Path(path_type=Path))
def change(id: str, file: Path) -> None:  # noqa: A002 -- the word of the command
    """Replace what our project ID says by the text in FILE, which is written as for `publish`.

    What such a file cannot say, such as the budget, stays. ID is the address of the project.
    """
    given = markdown.read(file)
    with opened() as node:
        with node.reading() as session:
            row = _known(session, id)
            token, version = row.token, row.version
            known = text_of(row)
            text = replace(given, details=known.details, translations=known.translations)
        rendering.prepare(text)
        with node.work(by=BY) as work:
            service.update(work, service.for_change(work.session, token), text, version)
    click.echo(f"Changed {id}")


@project.command()
@click.argument("id")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(id: str, yes: bool) -> None:  # noqa: A002
    """Delete our project ID, here and at every server that has it."""
    if not yes:
        click.confirm(f"Delete {id} for good?", abort=True)
    with working() as work:
        service.delete(work, service.for_change(work.session, _known(work.session, id).token))
    click.echo(f"Deleted {id}")


@project.command("write-update")
@click.argument("id")
@click.option("--changed", default="", help="What has changed, in Markdown")
@click.option("--next", "next_steps", default="", help="What is next")
@click.option("--needs", default="", help="What the project needs")
def write_update(id: str, changed: str, next_steps: str, needs: str) -> None:  # noqa: A002
    """Write an update of our project ID. It goes to everybody who follows the project."""
    text = updates.Text(changed, next_steps, needs)
    updates.prepare(text)
    with working() as work:
        row = service.for_change(work.session, _known(work.session, id).token)
        click.echo(updates.write(work, row, text).uri)


def _known(session: Session, uri: str) -> Project:
    """The project with this id. Raises `NotFoundError`."""
    row = session.scalar(select(Project).where(Project.uri == uri))
    if row is None:
        raise NotFoundError(say("There is no such project."))
    return row


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
