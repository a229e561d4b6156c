"""Commands for projects."""

from dataclasses import replace
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from node.access.viewer import LOCAL_USER
from node.cli.node_context import COMMAND_LINE, open_node, open_work
from node.councils import service as councils
from node.errors import NotFoundError
from node.importing import markdown
from node.messages import msg
from node.projects import rendering, service
from node.projects.models import Project
from node.projects.validation import to_input
from node.updates import service as updates


@click.group()
def project() -> None:
    """Manage projects."""


@project.command()
@click.argument("file", type=click.Path(path_type=Path))
def publish(file: Path) -> None:
    """Publish the project in FILE.

    FILE is Markdown. It starts with title, summary and phase between lines of `---`, and optionally
    visibility (`public`, the default, `peers` or `private`) and language (`en`, the default, or
    `cy`).
    """
    text = markdown.read_file(file)
    rendering.prerender(text)
    with open_work() as work:
        row = service.create(work, councils.require_own(work.session), text)
        service.publish(work, row)
        click.echo(row.uri)


@project.command()
@click.argument("id")
@click.argument("file", type=click.Path(path_type=Path))
def change(id: str, file: Path) -> None:  # noqa: A002 -- the word of the command
    """Replace the text of our project ID with FILE, in the format that `publish` takes.

    Details that are not in FILE, such as the budget, stay. ID is the address of the project.
    """
    new_text = markdown.read_file(file)
    with open_node() as node:
        with node.reading() as session:
            row = _require_project(session, id)
            token, version = row.token, row.version
            current = to_input(row)
            text = replace(new_text, details=current.details, translations=current.translations)
        rendering.prerender(text)
        with node.work(by=COMMAND_LINE) as work:
            service.update(work, service.get_for_update(work.session, token), text, version)
    click.echo(f"Changed {id}")


@project.command()
@click.argument("id")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def delete(id: str, yes: bool) -> None:  # noqa: A002
    """Delete our project ID here, and on all servers that have a copy."""
    if not yes:
        click.confirm(f"Permanently delete {id}?", abort=True)
    with open_work() as work:
        service.delete(
            work, service.get_for_update(work.session, _require_project(work.session, id).token)
        )
    click.echo(f"Deleted {id}")


@project.command("write-update")
@click.argument("id")
@click.option("--changed", default="", help="What has changed, in Markdown.")
@click.option("--next", "next_steps", default="", help="What is next, in Markdown.")
@click.option("--needs", default="", help="What the project needs, in Markdown.")
def write_update(id: str, changed: str, next_steps: str, needs: str) -> None:  # noqa: A002
    """Publish an update about our project ID, which is sent to its followers."""
    text = updates.UpdateInput(changed, next_steps, needs)
    updates.prerender(text)
    with open_work() as work:
        row = service.get_for_update(work.session, _require_project(work.session, id).token)
        click.echo(updates.create(work, row, text).uri)


def _require_project(session: Session, uri: str) -> Project:
    """The project with this id. Raises `NotFoundError`."""
    row = session.scalar(select(Project).where(Project.uri == uri))
    if row is None:
        raise NotFoundError(msg("Project not found."))
    return row


@project.command("list")
def list_projects() -> None:
    """List all published projects, ours and other councils', last changed first."""
    with open_node() as node, node.reading() as session:
        number: int | None = 1
        while number is not None:
            page = service.list_page(session, service.ProjectFilter(LOCAL_USER), number)
            for row in page.rows:
                click.echo(f"{row.uri}\t{row.phase.value}\t{row.council.name}\t{row.title}")
            number = page.next


COMMANDS = (project,)
