"""What changed between two texts, word by word. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

# Words with the space behind them, and single marks.
WORD_PATTERN = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")
LINE_PATTERN = re.compile(r"[^\n]*\n|[^\n]+")
# Longer ones are compared by lines alone, or not at all, so that no page takes long.
MAX_WORDS, MAX_LINES = 2_000, 2_000
# Of what stayed, so many characters are shown on either side of a change.
CONTEXT_CHARACTERS = 160


class DiffKind(StrEnum):
    same = "same"
    added = "added"
    removed = "removed"
    omitted = "left-out"


@dataclass(frozen=True)
class DiffPiece:
    """A part of a comparison: what stayed, came or went; or that what stayed is left out."""

    kind: DiffKind
    text: str = ""


def diff_texts(before: str, after: str) -> list[DiffPiece]:
    """The pieces of both texts, in their order, with long stretches that stayed left out."""
    return list(_elide_unchanged(_merge_adjacent(_diff_lines(before, after))))


def _diff_lines(before: str, after: str) -> Iterator[DiffPiece]:
    old, new = LINE_PATTERN.findall(before), LINE_PATTERN.findall(after)
    if max(len(old), len(new)) > MAX_LINES:
        yield from _replacement(before, after)
        return
    for same, one, other in _blocks(old, new):
        if same:
            yield DiffPiece(DiffKind.same, one)
        else:
            yield from _diff_words(one, other)


def _diff_words(before: str, after: str) -> Iterator[DiffPiece]:
    old, new = WORD_PATTERN.findall(before), WORD_PATTERN.findall(after)
    if max(len(old), len(new)) > MAX_WORDS or not old or not new:
        yield from _replacement(before, after)
        return
    for same, one, other in _blocks(old, new):
        if same:
            yield DiffPiece(DiffKind.same, one)
        else:
            yield from _replacement(one, other)


def _blocks(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[bool, str, str]]:
    """What is the same in both, and what stands in place of what, by turns."""
    for tag, i, j, k, m in SequenceMatcher(None, old, new).get_opcodes():
        yield tag == "equal", "".join(old[i:j]), "".join(new[k:m])


def _replacement(before: str, after: str) -> Iterator[DiffPiece]:
    if before:
        yield DiffPiece(DiffKind.removed, before)
    if after:
        yield DiffPiece(DiffKind.added, after)


def _merge_adjacent(pieces: Iterator[DiffPiece]) -> list[DiffPiece]:
    """Pieces of one kind that follow each other are one."""
    found: list[DiffPiece] = []
    for piece in pieces:
        if found and found[-1].kind is piece.kind:
            found[-1] = DiffPiece(piece.kind, found[-1].text + piece.text)
        else:
            found.append(piece)
    return found


def _elide_unchanged(pieces: list[DiffPiece]) -> Iterator[DiffPiece]:
    for place, piece in enumerate(pieces):
        if piece.kind is not DiffKind.same or len(piece.text) <= 3 * CONTEXT_CHARACTERS:
            yield piece
            continue
        if place > 0:
            yield DiffPiece(DiffKind.same, piece.text[:CONTEXT_CHARACTERS].rpartition(" ")[0])
        yield DiffPiece(DiffKind.omitted)
        if place < len(pieces) - 1:
            yield DiffPiece(DiffKind.same, piece.text[-CONTEXT_CHARACTERS:].partition(" ")[2])
