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

HOUSE = Path(__file__).parent / "translations"
WELSH = "cy"


class Catalogues:
    """What the catalogues in `folders`, and the house's own, have. The house's word counts."""

    def __init__(self, folders: Iterable[Path] = ()) -> None:
        self._folders = (*folders, HOUSE)

    def into(self, language: str) -> NullTranslations:
        """The translations into `language`: into English there are none."""
        return self._welsh if language == WELSH else self._english

    @cached_property
    def _english(self) -> NullTranslations:
        return NullTranslations()

    @cached_property
    def _welsh(self) -> NullTranslations:
        whole = Translations()
        for path in map(catalogue, self._folders):
            if path.exists():
                found = read(path)
                whole.merge(found)
                whole.plural = found.plural  # which `merge` forgets
        return whole


def catalogue(folder: Path, language: str = WELSH) -> Path:
    """The file in a folder of translations."""
    return folder / language / "LC_MESSAGES" / "messages.po"


def read(path: Path) -> Translations:
    """A catalogue as translators write it."""
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=WELSH, abort_invalid=True))
    compiled.seek(0)
    return Translations(compiled)
