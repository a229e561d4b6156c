"""What changed between two texts, word by word. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

# Words with the space behind them, and single marks.
WORDS = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")
LINES = re.compile(r"[^\n]*\n|[^\n]+")
# Longer ones are compared by lines alone, or not at all, so that no page takes long.
MOST_WORDS, MOST_LINES = 2_000, 2_000
# Of what stayed, so many characters are shown on either side of a change.
CONTEXT = 160


class Kind(StrEnum):
    same = "same"
    added = "added"
    removed = "removed"
    left_out = "left-out"


@dataclass(frozen=True)
class Piece:
    """A part of a comparison: what stayed, came or went; or that what stayed is left out."""

    kind: Kind
    text: str = ""


def compare(before: str, after: str) -> list[Piece]:
    """The pieces of both texts, in their order, with long stretches that stayed left out."""
    return list(_shortened(_joined(_by_lines(before, after))))


def _by_lines(before: str, after: str) -> Iterator[Piece]:
    old, new = LINES.findall(before), LINES.findall(after)
    if max(len(old), len(new)) > MOST_LINES:
        yield from _replaced(before, after)
        return
    for same, one, other in _blocks(old, new):
        if same:
            yield Piece(Kind.same, one)
        else:
            yield from _by_words(one, other)


def _by_words(before: str, after: str) -> Iterator[Piece]:
    old, new = WORDS.findall(before), WORDS.findall(after)
    if max(len(old), len(new)) > MOST_WORDS or not old or not new:
        yield from _replaced(before, after)
        return
    for same, one, other in _blocks(old, new):
        if same:
            yield Piece(Kind.same, one)
        else:
            yield from _replaced(one, other)


def _blocks(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[bool, str, str]]:
    """What is the same in both, and what stands in place of what, by turns."""
    for tag, i, j, k, m in SequenceMatcher(None, old, new).get_opcodes():
        yield tag == "equal", "".join(old[i:j]), "".join(new[k:m])


def _replaced(before: str, after: str) -> Iterator[Piece]:
    if before:
        yield Piece(Kind.removed, before)
    if after:
        yield Piece(Kind.added, after)


def _joined(pieces: Iterator[Piece]) -> list[Piece]:
    """Pieces of one kind that follow each other are one."""
    found: list[Piece] = []
    for piece in pieces:
        if found and found[-1].kind is piece.kind:
            found[-1] = Piece(piece.kind, found[-1].text + piece.text)
        else:
            found.append(piece)
    return found


def _shortened(pieces: list[Piece]) -> Iterator[Piece]:
    for place, piece in enumerate(pieces):
        if piece.kind is not Kind.same or len(piece.text) <= 3 * CONTEXT:
            yield piece
            continue
        if place > 0:
            yield Piece(Kind.same, piece.text[:CONTEXT].rpartition(" ")[0])
        yield Piece(Kind.left_out)
        if place < len(pieces) - 1:
            yield Piece(Kind.same, piece.text[-CONTEXT:].partition(" ")[2])
