"""Text analysis for the index and for queries: folding, splitting into words, stemming.

Accents and capitals are ignored. English words are also found by their stems. Welsh words are not
stemmed: they mutate at their beginning.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from html import unescape

import snowballstemmer

# Letters that Unicode does not decompose into a base letter and an accent.
LETTER_FOLDING = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
)
# Fills a position without a word, so that phrases do not match across texts.
GAP = "_"
MAX_LEN_WORD = 64
# Limits of PostgreSQL's tsvector, with room to spare: positions per word, and positions in all.
MAX_POSITIONS = 250
MAX_WORDS = 12_000
APOSTROPHES = re.compile("['’ʼ]")
# Longer words are cut at `MAX_LEN_WORD`.
WORD_PATTERN = re.compile(rf"([^\W_]{{1,{MAX_LEN_WORD}}})[^\W_]*")
TAG_PATTERN = re.compile(r"<[^<>]*>")
SYMBOL_NAMES = str.maketrans({"+": "plus", "#": "sharp", "&": "and"})

_stemmer = snowballstemmer.stemmer("english")


def fold(text: str) -> str:
    """`text` without capitals and accents."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(char for char in decomposed if not unicodedata.combining(char))
    return letters.translate(LETTER_FOLDING)


def split_words(text: str) -> list[str]:
    """The folded words of a text in order; a word is made of letters and digits."""
    folded = APOSTROPHES.sub("'", fold(text))
    if "'" in folded:
        folded = " ".join(map(_strip_possessive, re.split(r"\s+", folded)))
    return WORD_PATTERN.findall(folded)


def _strip_possessive(piece: str) -> str:
    """Drop an ending of one letter after an apostrophe: `council's` to `council`, `i'r` to `i`."""
    stem, apostrophe, tail = piece.rpartition("'")
    is_ending = apostrophe and stem and len(tail.strip(".,;:!?)")) <= 1
    return stem if is_ending else piece


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The stem of an English word."""
    return str(_stemmer.stemWord(word)) if word.isascii() else word


@lru_cache(maxsize=20_000)
def normalise_name(text: str) -> str:
    """A name, such as a tag, as one word: equal for different spellings of it."""
    return "_".join(split_words(fold(text).translate(SYMBOL_NAMES)))[:MAX_LEN_WORD]


def strip_tags(html: str) -> str:
    """The visible text of sanitised HTML."""
    return unescape(TAG_PATTERN.sub(" ", html))


def to_positions(texts: Iterable[list[str]]) -> list[str]:
    """The words of several texts, with a gap after each text; at most `MAX_WORDS`, and
    `MAX_POSITIONS` of any one word.
    """
    positions: list[str] = []
    for text in texts:
        positions += text
        positions.append(GAP)
        if len(positions) > MAX_WORDS:
            break
    del positions[MAX_WORDS:]
    frequent = {word for word, count in Counter(positions).items() if count > MAX_POSITIONS}
    return _drop_frequent(positions, frequent) if frequent - {GAP} else positions


def _drop_frequent(positions: Sequence[str], frequent: Collection[str]) -> list[str]:
    """Replace the surplus occurrences of frequent words by gaps."""
    counts: Counter[str] = Counter()
    limited = []
    for word in positions:
        if word in frequent:
            counts[word] += 1
        limited.append(word if counts[word] <= MAX_POSITIONS else GAP)
    return limited
