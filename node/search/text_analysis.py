"""Text as the words by which it is found, the same for what is written and for what is asked.

Accents and capitals do not count. English words are found by their stems too; Welsh ones change at
their beginnings, and stay as they are.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from html import unescape

import snowballstemmer

# Letters that Unicode does not take apart.
LETTER_FOLDS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
)
# Where there is no word: nothing that is asked for is next to it.
GAP = "_"
MAX_LEN_WORD = 64
# PostgreSQL keeps no more places of one word, and none after these many words.
MAX_POSITIONS = 250
MAX_WORDS = 12_000
APOSTROPHES = re.compile("['’ʼ]")
# As much of it as counts.
WORD_PATTERN = re.compile(rf"([^\W_]{{1,{MAX_LEN_WORD}}})[^\W_]*")
TAG_PATTERN = re.compile(r"<[^<>]*>")
SIGN_NAMES = str.maketrans({"+": "plus", "#": "sharp", "&": "and"})

_stemmer = snowballstemmer.stemmer("english")


def fold(text: str) -> str:
    """`text` without capitals and accents."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in apart if not unicodedata.combining(one)).translate(LETTER_FOLDS)


def split_words(text: str) -> list[str]:
    """The words of a text, in their order: letters and digits."""
    folded = APOSTROPHES.sub("'", fold(text))
    if "'" in folded:
        folded = " ".join(map(_strip_possessive, re.split(r"\s+", folded)))
    return WORD_PATTERN.findall(folded)


def _strip_possessive(piece: str) -> str:
    """What stands between two spaces: `council's` is `council`, and `i'r` is `i`."""
    stem, apostrophe, tail = piece.rpartition("'")
    is_ending = apostrophe and stem and len(tail.strip(".,;:!?)")) <= 1
    return stem if is_ending else piece


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The stem of an English word."""
    return str(_stemmer.stemWord(word)) if word.isascii() else word


@lru_cache(maxsize=20_000)
def normalise_name(text: str) -> str:
    """Words that are one name, such as a tag: the same however it is spelt."""
    return "_".join(split_words(fold(text).translate(SIGN_NAMES)))[:MAX_LEN_WORD]


def strip_tags(html: str) -> str:
    """What a reader sees of sanitised HTML."""
    return unescape(TAG_PATTERN.sub(" ", html))


def to_positions(texts: Iterable[list[str]]) -> list[str]:
    """The words of several texts one after the other with a gap between them, no longer and no
    word more often than every database keeps.
    """
    found: list[str] = []
    for text in texts:
        found += text
        found.append(GAP)
        if len(found) > MAX_WORDS:
            break
    del found[MAX_WORDS:]
    often = {word for word, times in Counter(found).items() if times > MAX_POSITIONS}
    return _drop_frequent(found, often) if often - {GAP} else found


def _drop_frequent(found: Sequence[str], often: Collection[str]) -> list[str]:
    """Gaps in place of what comes too often."""
    seen: Counter[str] = Counter()
    kept = []
    for word in found:
        if word in often:
            seen[word] += 1
        kept.append(word if seen[word] <= MAX_POSITIONS else GAP)
    return kept
