"""The command that imports projects from files."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from node.cli.node_context import COMMAND_LINE, open_node
from node.councils import service as councils
from node.errors import ConflictError, InvalidInputError
from node.importing import organisations, service
from node.importing.format_detection import read_projects
from node.importing.limits import MAX_BYTES
from node.importing.matching import ImportOutcome
from node.importing.organisations import OwningOrganisation
from node.importing.service import ImportResult
from node.messages import msg
from node.runtime import Node

OUTCOME_TEXTS = {
    ImportOutcome.draft: "saved as a draft",
    ImportOutcome.published: "published",
    ImportOutcome.updated: "updated",
    ImportOutcome.differs: "already here but different, not changed without --update",
    ImportOutcome.unchanged: "already here and the same",
    ImportOutcome.kept: "already here and edited since, not changed",
    ImportOutcome.known: "with the title of an existing project, not imported",
}


@click.command("import")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@click.option("--publish", is_flag=True, help="Publish complete projects instead of saving drafts.")
@click.option(
    "--update",
    is_flag=True,
    help="Update existing projects that no one has changed since they were imported.",
)
@click.option(
    "--organisation",
    "organisation_names",
    multiple=True,
    metavar="NAME",
    help="Import the projects of this organisation, if a file has projects of several. Can be"
    " repeated. Default: our council.",
)
@click.option(
    "--source",
    default="",
    metavar="NAME",
    help="The name of the list in a spreadsheet. Under the same name, its projects are recognised"
    " by their ID or title.",
)
@click.pass_context
def import_files(
    context: click.Context,
    files: tuple[Path, ...],
    publish: bool,
    update: bool,
    organisation_names: tuple[str, ...],
    source: str,
) -> None:
    """Import projects from publiccode.yml, civic.json, CSV, Pipeline's CSV and XML, and Markdown.

    A file with an error is not imported at all. One line is printed for each file. Importing the
    same file again continues where it stopped and creates no duplicates. Existing projects are not
    changed without --update.
    """
    failed = False
    with open_node() as node:
        for file in files:
            try:
                projects = read_projects(file.name, _read_bytes(file), source)
                owners = organisation_names or (_own_council_name(node),)
                results = service.import_projects(
                    node,
                    COMMAND_LINE,
                    organisations.select_of(projects, owners),
                    publish=publish,
                    update=update,
                )
                line = _summary_line(results, organisations.list_others(projects, owners))
            except (InvalidInputError, ConflictError) as error:
                failed, line = True, f"not imported: {_lower_first_letter(error.safe_text)}"
            click.echo(f"{file}: {' '.join(line.split())}")
    if failed:
        context.exit(1)


def _own_council_name(node: Node) -> str:
    with node.reading() as session:
        return councils.require_own(session).name


def _read_bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened_file:
            return opened_file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidInputError(
            msg("The file cannot be read: %(problem)s.", problem=error.strerror)
        ) from error


def _lower_first_letter(text: str) -> str:
    return text[:1].lower() + text[1:].removesuffix(".")


def _summary_line(taken: Sequence[ImportResult], left: Sequence[OwningOrganisation]) -> str:
    notes = Counter(note for each in taken for note in each.notes)
    if len(taken) == 1:
        only = taken[0]
        line = f"{OUTCOME_TEXTS[only.outcome]}: {only.title} {only.uri}"
        remarks: list[str] = list(notes)
    else:
        counts = Counter(each.outcome for each in taken)
        line = f"{len(taken)} projects: " + ", ".join(
            f"{counts[done]} {words}" for done, words in OUTCOME_TEXTS.items() if counts[done]
        )
        remarks = [f"{note} ({count})" for note, count in notes.most_common(20)]
    if left:
        count = sum(len(each.projects) for each in left)
        names = ", ".join(each.name for each in left[:5]) + (", …" if len(left) > 5 else "")
        remarks.append(
            f"not imported without --organisation: {count} of other organisations, {names}"
        )
    return f"{line} ({'; '.join(remarks)})" if remarks else line


COMMANDS = (import_files,)
