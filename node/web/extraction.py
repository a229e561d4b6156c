"""Find every string that is to be translated, and bring the catalogues up to date with them.

For developers and translators: `./dev translations`. What is new gets an empty entry; what is no
longer said is taken out.
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

ROOT = Path(__file__).parents[2]
# By what call a string is marked, and which of its arguments it is.
KEYWORDS = DEFAULT_KEYWORDS | {
    "_l": None,
    "lazy_gettext": None,
    "lazy_ngettext": (1, 2),
    "msg": None,
    "msg_count": (1, 2),
    # The federation library knows nothing of languages; its sentences are shown all the same.
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
WIDTH = 110


def source_folders() -> dict[Path, tuple[Path, ...]]:
    """Each folder of translations, and the folders with what is said there."""
    plugins = (path.parent for path in sorted((ROOT / "plugins").glob("*/plugin.py")))
    return {CORE_FOLDER: (ROOT / "node", ROOT / "federation")} | {
        plugin / "translations": (plugin,) for plugin in plugins
    }


def extract(folders: Collection[Path]) -> Catalog:
    """What is said in `folders`, in English."""
    found = Catalog(project="Moothall")
    for folder in folders:
        for file, _line, message, comments, context in extract_from_dir(
            folder, EXTRACTION_METHODS, EXTRACTION_OPTIONS, KEYWORDS
        ):
            place = (folder / file).relative_to(ROOT).as_posix()
            found.add(message, None, [(place, 1)], auto_comments=comments, context=context)
    return found


def update_catalogue(path: Path, said: Catalog) -> Catalog:
    """The catalogue at `path` with exactly what is said."""
    with path.open("rb") as file:
        known = read_po(file, locale=WELSH)
    said.creation_date = known.creation_date
    known.update(said, no_fuzzy_matching=True)
    known.obsolete.clear()
    for message in known:
        message.locations = [(place, 1) for place in dict(message.locations)]
    return known


def serialise(known: Catalog) -> bytes:
    """A catalogue as it stands in its file: in an order that does not depend on the code."""
    file = BytesIO()
    write_po(file, known, width=WIDTH, sort_output=True, include_lineno=False)
    return file.getvalue()


def find_faults(known: Catalog) -> Iterator[str]:
    """What is wrong with a catalogue: what has no translation, or one that does not fit."""
    for message in known:
        if message.id and (message.fuzzy or not all(_plural_forms(message))):
            yield f"not translated: {message.id!r}"
        elif message.id:
            yield from (f"{error}: {message.id!r}" for error in message.check(known))


def _plural_forms(message: Message) -> Collection[str | None]:
    return message.string if isinstance(message.string, list | tuple) else (message.string,)


def main(tell: Callable[[str], object]) -> None:
    for folder, sources in source_folders().items():
        path = catalogue_path(folder)
        known = update_catalogue(path, extract(sources))
        path.write_bytes(serialise(known))
        wrong = list(find_faults(known))
        tell(f"{path.relative_to(ROOT)}: {len(known)} strings, {len(wrong)} to do\n")
        for words in wrong:
            tell(f"  {words}\n")


if __name__ == "__main__":
    main(sys.stdout.write)
