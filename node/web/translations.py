"""Loads the catalogues of translations: the node's, and those of plugins.

The `.po` files are read when the first page needs them, so nothing has to be compiled.
"""

from collections.abc import Iterable
from functools import cached_property
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

CORE_FOLDER = Path(__file__).parent / "translations"
WELSH = "cy"


class MessageCatalogues:
    """The merged catalogues of `folders` and of the node, which takes precedence."""

    def __init__(self, folders: Iterable[Path] = ()) -> None:
        self._folders = (*folders, CORE_FOLDER)

    def translations_for(self, language: str) -> NullTranslations:
        """The translations into `language`; for English, an empty catalogue."""
        return self._welsh if language == WELSH else self._english

    @cached_property
    def _english(self) -> NullTranslations:
        return NullTranslations()

    @cached_property
    def _welsh(self) -> NullTranslations:
        merged = Translations()
        for path in map(catalogue_path, self._folders):
            if path.exists():
                catalogue = read_catalogue(path)
                merged.merge(catalogue)
                merged.plural = catalogue.plural  # `merge` does not copy it
        return merged


def catalogue_path(folder: Path, language: str = WELSH) -> Path:
    """The path of the catalogue in a folder of translations."""
    return folder / language / "LC_MESSAGES" / "messages.po"


def read_catalogue(path: Path) -> Translations:
    """Read a `.po` file."""
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=WELSH, abort_invalid=True))
    compiled.seek(0)
    return Translations(compiled)
