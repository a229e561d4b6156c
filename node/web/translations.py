"""The catalogues of translations: what stands in English in the code, in another language.

The node has one, and each plugin may bring its own. They are read as translators write them
(`.po`), when the first page needs them: there is nothing to compile and nothing to forget.
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
    """What the catalogues in `folders`, and the house's own, have. The house's word counts."""

    def __init__(self, folders: Iterable[Path] = ()) -> None:
        self._folders = (*folders, CORE_FOLDER)

    def translations_for(self, language: str) -> NullTranslations:
        """The translations into `language`: into English there are none."""
        return self._welsh if language == WELSH else self._english

    @cached_property
    def _english(self) -> NullTranslations:
        return NullTranslations()

    @cached_property
    def _welsh(self) -> NullTranslations:
        whole = Translations()
        for path in map(catalogue_path, self._folders):
            if path.exists():
                found = read_catalogue(path)
                whole.merge(found)
                whole.plural = found.plural  # which `merge` forgets
        return whole


def catalogue_path(folder: Path, language: str = WELSH) -> Path:
    """The file in a folder of translations."""
    return folder / language / "LC_MESSAGES" / "messages.po"


def read_catalogue(path: Path) -> Translations:
    """A catalogue as translators write it."""
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=WELSH, abort_invalid=True))
    compiled.seek(0)
    return Translations(compiled)
