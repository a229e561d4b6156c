"""The command that takes projects out of files."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from node.cli.opening import BY, opened
from node.councils import service as councils
from node.errors import ConflictError, InvalidInputError
from node.importing import service
from node.importing.recognising import LARGEST, read
from node.importing.service import Done, Taken
from node.runtime import Node
from node.wording import say

SAID = {
    Done.draft: "saved as a draft",
    Done.published: "published",
    Done.updated: "brought up to date",
    Done.unchanged: "here already, and the same",
    Done.kept: "here already, and changed since: left as it is",
    Done.known: "a project of that name is here already: left as it is",
}


@click.command("import")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@click.option("--publish", is_flag=True, help="Publish what is whole, instead of saving drafts.")
@click.option(
    "--organisation",
    default="",
    metavar="NAME",
    help="Whose projects to take from a file of several organisations; ours, if not given.",
)
@click.pass_context
def import_files(
    context: click.Context, files: tuple[Path, ...], publish: bool, organisation: str
) -> None:
    """Take projects out of publiccode.yml, civic.json, CSV, Pipeline's CSV and XML, and Markdown.

    Each file is taken whole or not at all, and one line says what came of it. The same file again
    makes nothing twice.
    """
    failed = False
    with opened() as node:
        for file in files:
            try:
                line = _take(node, file, publish, organisation)
            except (InvalidInputError, ConflictError) as error:
                failed, line = True, f"not imported: {_beginning(error.safe_text)}"
            click.echo(f"{file}: {' '.join(line.split())}")
    if failed:
        context.exit(1)


def _take(node: Node, file: Path, publish: bool, organisation: str) -> str:
    """Take the projects of one file, and say what came of them."""
    found = read(file.name, _bytes(file))
    with node.work(by=BY) as work:
        council = councils.require_own(work.session)
        chosen = service.ours(council, found, organisation)
        taken = service.take(work, council, chosen, publish=publish)
        return _line(taken, len(found) - len(chosen))


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened_file:
            return opened_file.read(LARGEST + 1)
    except OSError as error:
        raise InvalidInputError(
            say("It cannot be read: %(problem)s.", problem=error.strerror)
        ) from error


def _beginning(text: str) -> str:
    return text[:1].lower() + text[1:].removesuffix(".")


def _line(taken: Sequence[Taken], left: int) -> str:
    notes = Counter(note for each in taken for note in each.notes)
    if len(taken) == 1:
        only = taken[0]
        line = f"{SAID[only.done]}: {only.project.title} {only.project.uri}"
        told: list[str] = list(notes)
    else:
        counts = Counter(each.done for each in taken)
        line = f"{len(taken)} projects: " + ", ".join(
            f"{counts[done]} {words}" for done, words in SAID.items() if counts[done]
        )
        told = [f"{note} ({count})" for note, count in notes.most_common(20)]
    if left:
        told.append(f"{left} of other organisations left out")
    return f"{line} ({'; '.join(told)})" if told else line


COMMANDS = (import_files,)
