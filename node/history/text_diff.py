"""Computes the word-by-word difference of two texts. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

# Words and punctuation marks, each with the white space that follows.
WORD_PATTERN = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")
LINE_PATTERN = re.compile(r"[^\n]*\n|[^\n]+")
# Longer texts are compared by lines only, or not at all, to bound the time to render a page.
MAX_WORDS, MAX_LINES = 2_000, 2_000
# Characters of unchanged text shown on either side of a change.
CONTEXT_CHARACTERS = 160


class DiffKind(StrEnum):
    same = "same"
    added = "added"
    removed = "removed"
    omitted = "left-out"


@dataclass(frozen=True)
class DiffPiece:
    """A piece of a diff. `omitted` stands for unchanged text that is not shown."""

    kind: DiffKind
    text: str = ""


def diff_texts(before: str, after: str) -> list[DiffPiece]:
    """The pieces of both texts in order, with long unchanged stretches omitted."""
    return list(_elide_unchanged(_merge_adjacent(_diff_lines(before, after))))


def _diff_lines(before: str, after: str) -> Iterator[DiffPiece]:
    old, new = LINE_PATTERN.findall(before), LINE_PATTERN.findall(after)
    if max(len(old), len(new)) > MAX_LINES:
        yield from _diff_replacement(before, after)
        return
    for is_same, old_part, new_part in _iter_blocks(old, new):
        if is_same:
            yield DiffPiece(DiffKind.same, old_part)
        else:
            yield from _diff_words(old_part, new_part)


def _diff_words(before: str, after: str) -> Iterator[DiffPiece]:
    old, new = WORD_PATTERN.findall(before), WORD_PATTERN.findall(after)
    if max(len(old), len(new)) > MAX_WORDS or not old or not new:
        yield from _diff_replacement(before, after)
        return
    for is_same, old_part, new_part in _iter_blocks(old, new):
        if is_same:
            yield DiffPiece(DiffKind.same, old_part)
        else:
            yield from _diff_replacement(old_part, new_part)


def _iter_blocks(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[bool, str, str]]:
    """Blocks of both sequences in order: whether they are the same, and the old and new text."""
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new).get_opcodes():
        yield tag == "equal", "".join(old[i1:i2]), "".join(new[j1:j2])


def _diff_replacement(before: str, after: str) -> Iterator[DiffPiece]:
    if before:
        yield DiffPiece(DiffKind.removed, before)
    if after:
        yield DiffPiece(DiffKind.added, after)


def _merge_adjacent(pieces: Iterator[DiffPiece]) -> list[DiffPiece]:
    """Merge adjacent pieces of the same kind."""
    merged: list[DiffPiece] = []
    for piece in pieces:
        if merged and merged[-1].kind is piece.kind:
            merged[-1] = DiffPiece(piece.kind, merged[-1].text + piece.text)
        else:
            merged.append(piece)
    return merged


def _elide_unchanged(pieces: list[DiffPiece]) -> Iterator[DiffPiece]:
    for index, piece in enumerate(pieces):
        if piece.kind is not DiffKind.same or len(piece.text) <= 3 * CONTEXT_CHARACTERS:
            yield piece
            continue
        if index > 0:
            yield DiffPiece(DiffKind.same, piece.text[:CONTEXT_CHARACTERS].rpartition(" ")[0])
        yield DiffPiece(DiffKind.omitted)
        if index < len(pieces) - 1:
            yield DiffPiece(DiffKind.same, piece.text[-CONTEXT_CHARACTERS:].partition(" ")[2])
