"""The commands `moothall checklists`, for operators."""

from pathlib import Path

import click

from node import api
from plugins.checklists import library
from plugins.checklists.access import PLUGIN
from plugins.checklists.definitions.checklist import Checklist
from plugins.checklists.definitions.data_reader import DefinitionError
from plugins.checklists.definitions.parsing import read_file
from plugins.checklists.definitions.serialising import to_yaml

FILE_PATH = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("list")
def list_all() -> None:
    """List all checklists: id, newest version, languages, title."""
    with api.work(PLUGIN) as work:
        for checklist in library.list_current(work.session).values():
            languages = " ".join(checklist.languages)
            click.echo(f"{checklist.id} {checklist.version} [{languages}] {checklist.title.en}")


@click.command("import")
@click.argument("file", type=FILE_PATH)
def import_file(file: Path) -> None:
    """Publish the checklist in FILE as a new version."""
    checklist = _parse_file(file)
    with api.work(PLUGIN) as work:
        published = library.publish(work, checklist)
    click.echo(f"Published version {published.version} of {published.id}")


@click.command("export")
@click.argument("name")
@click.option("--version", "number", type=int, help="Export this version instead of the newest.")
def export(name: str, number: int | None) -> None:
    """Print the checklist with the id NAME as YAML."""
    with api.work(PLUGIN) as work:
        checklist = (
            library.get_version(work.session, name, number)
            if number
            else library.get_newest(work.session, name)
        )
    click.echo(to_yaml(checklist), nl=False)


@click.command("check")
@click.argument("file", type=FILE_PATH)
def check(file: Path) -> None:
    """Check that FILE is a valid checklist, and list the text that is not written yet."""
    checklist = _parse_file(file)
    for place in checklist.placeholders():
        click.echo(f"{place}: not written yet")
    if "cy" not in checklist.languages:
        click.echo("The Welsh text is not complete")
    click.echo(f"{checklist.id} is valid and has {len(checklist.questions)} questions")


COMMANDS = [list_all, import_file, export, check]


def _parse_file(file: Path) -> Checklist:
    try:
        return read_file(file)
    except DefinitionError as error:
        raise click.ClickException(str(error)) from error
