"""The command that takes projects out of files."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from node.cli.opening import BY, opened
from node.councils import service as councils
from node.errors import ConflictError, InvalidInputError
from node.importing import organisations, service
from node.importing.limits import MAX_BYTES
from node.importing.matching import Done
from node.importing.organisations import Owner
from node.importing.recognising import read
from node.importing.service import Taken
from node.runtime import Node
from node.wording import say

SAID = {
    Done.draft: "saved as a draft",
    Done.published: "published",
    Done.updated: "brought up to date",
    Done.differs: "here already, and different: left as it is without --update",
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
    "--update",
    is_flag=True,
    help="Change projects that are here already and that nobody changed since they were imported.",
)
@click.option(
    "--organisation",
    "wanted",
    multiple=True,
    metavar="NAME",
    help="Whose projects to take from a file of several organisations; ours, if not given. Can be"
    " repeated.",
)
@click.option(
    "--source",
    default="",
    metavar="NAME",
    help="What the list is called that a spreadsheet is of. Under the same name, its projects are"
    " recognised by their ID or title.",
)
@click.pass_context
def import_files(
    context: click.Context,
    files: tuple[Path, ...],
    publish: bool,
    update: bool,
    wanted: tuple[str, ...],
    source: str,
) -> None:
    """Take projects out of publiccode.yml, civic.json, CSV, Pipeline's CSV and XML, and Markdown.

    A file with anything that cannot be saved is not imported at all, and one line says what came of
    each file. The same file again makes nothing twice, and goes on where it stopped. Projects that
    are here already are not changed without --update.
    """
    failed = False
    with opened() as node:
        for file in files:
            try:
                found = read(file.name, _bytes(file), source)
                owners = wanted or (_our_name(node),)
                chosen = organisations.chosen(found, owners)
                taken = service.take(node, BY, chosen, publish=publish, update=update)
                line = _line(taken, organisations.others(found, owners))
            except (InvalidInputError, ConflictError) as error:
                failed, line = True, f"not imported: {_beginning(error.safe_text)}"
            click.echo(f"{file}: {' '.join(line.split())}")
    if failed:
        context.exit(1)


def _our_name(node: Node) -> str:
    with node.reading() as session:
        return councils.require_own(session).name


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened_file:
            return opened_file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidInputError(
            say("The file cannot be read: %(problem)s.", problem=error.strerror)
        ) from error


def _beginning(text: str) -> str:
    return text[:1].lower() + text[1:].removesuffix(".")


def _line(taken: Sequence[Taken], left: Sequence[Owner]) -> str:
    notes = Counter(note for each in taken for note in each.notes)
    if len(taken) == 1:
        only = taken[0]
        line = f"{SAID[only.done]}: {only.title} {only.uri}"
        told: list[str] = list(notes)
    else:
        counts = Counter(each.done for each in taken)
        line = f"{len(taken)} projects: " + ", ".join(
            f"{counts[done]} {words}" for done, words in SAID.items() if counts[done]
        )
        told = [f"{note} ({count})" for note, count in notes.most_common(20)]
    if left:
        count = sum(len(each.projects) for each in left)
        names = ", ".join(each.name for each in left[:5]) + (", …" if len(left) > 5 else "")
        told.append(f"{count} of other organisations left out without --organisation: {names}")
    return f"{line} ({'; '.join(told)})" if told else line


COMMANDS = (import_files,)
