"""Extracts translatable strings and updates the catalogues (`./dev translations`).

New strings get an empty entry; strings that are no longer used are removed.
"""

import sys
from collections.abc import Callable, Collection, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

from node.web.translations import CORE_FOLDER, WELSH, catalogue_path

PROJECT_ROOT = Path(__file__).parents[2]
# The functions that mark strings, and which of their arguments are strings.
KEYWORDS = DEFAULT_KEYWORDS | {
    "_l": None,
    "lazy_gettext": None,
    "lazy_ngettext": (1, 2),
    "msg": None,
    "msg_count": (1, 2),
    # The federation library does not translate, but pages show the texts of its errors.
    "AddressError": None,
    "RefusalResponse": (2,),
    "DocumentError": (2,),
}


EXTRACTION_METHODS: list[tuple[str, Any]] = [
    ("**/tests/**", "ignore"),
    ("**/static/**", "ignore"),
    ("**/testing/**", "ignore"),
    ("**/demo/**", "ignore"),
    ("**.py", "python"),
    ("**/templates/**", "jinja2"),
]
EXTRACTION_OPTIONS = {"**/templates/**": {"extensions": "jinja2.ext.do", "silent": "false"}}
LINE_WIDTH = 110


def source_folders() -> dict[Path, tuple[Path, ...]]:
    """Maps each folder of translations to the folders of their sources."""
    plugins = (path.parent for path in sorted((PROJECT_ROOT / "plugins").glob("*/plugin.py")))
    return {CORE_FOLDER: (PROJECT_ROOT / "node", PROJECT_ROOT / "federation")} | {
        plugin / "translations": (plugin,) for plugin in plugins
    }


def extract(folders: Collection[Path]) -> Catalog:
    """A catalogue of the English strings in `folders`."""
    catalogue = Catalog(project="Moothall")
    for folder in folders:
        for file, _line, message, comments, context in extract_from_dir(
            folder, EXTRACTION_METHODS, EXTRACTION_OPTIONS, KEYWORDS
        ):
            place = (folder / file).relative_to(PROJECT_ROOT).as_posix()
            catalogue.add(message, None, [(place, 1)], auto_comments=comments, context=context)
    return catalogue


def update_catalogue(path: Path, template: Catalog) -> Catalog:
    """The catalogue at `path` with exactly the strings of `template`."""
    with path.open("rb") as file:
        catalogue = read_po(file, locale=WELSH)
    template.creation_date = catalogue.creation_date
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    for message in catalogue:
        message.locations = [(place, 1) for place in dict(message.locations)]
    return catalogue


def serialise(catalogue: Catalog) -> bytes:
    """A catalogue as a PO file, sorted so that its order does not depend on the code."""
    file = BytesIO()
    write_po(file, catalogue, width=LINE_WIDTH, sort_output=True, include_lineno=False)
    return file.getvalue()


def find_translation_errors(catalogue: Catalog) -> Iterator[str]:
    """Describes missing translations, and those whose placeholders or plural forms are wrong."""
    for message in catalogue:
        if message.id and (message.fuzzy or not all(_plural_forms(message))):
            yield f"not translated: {message.id!r}"
        elif message.id:
            yield from (f"{error}: {message.id!r}" for error in message.check(catalogue))


def _plural_forms(message: Message) -> Collection[str | None]:
    return message.string if isinstance(message.string, list | tuple) else (message.string,)


def main(write: Callable[[str], object]) -> None:
    for folder, sources in source_folders().items():
        path = catalogue_path(folder)
        catalogue = update_catalogue(path, extract(sources))
        path.write_bytes(serialise(catalogue))
        faults = list(find_translation_errors(catalogue))
        write(f"{path.relative_to(PROJECT_ROOT)}: {len(catalogue)} strings, {len(faults)} to do\n")
        for fault in faults:
            write(f"  {fault}\n")


if __name__ == "__main__":
    main(sys.stdout.write)
