"""What is asked of the index, and how a person writes it.

    missed bins        both words, in any form
    "missed bins"      one after the other, as they are written
    -garden            without it
    recyc*             words that begin so

Whatever else is typed means nothing, and does no harm.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from node.search import words

# More is not looked at.
LONGEST = 300
MOST = 16
SHORTEST_BEGINNING = 2
TITLE, STEM = "=", "~"
# Before the beginnings of the words of titles, from the shortest to the longest.
OPENING = "=_"
LONGEST_BEGINNING = 6
PIECE = re.compile(r'(?P<no>-?)(?:["“”](?P<phrase>[^"“”]*)["“”]?|(?P<word>[^\s"“”]+))')


@dataclass(frozen=True)
class Term:
    """Words one after the other; one that begins so, if `is_beginning`."""

    words: tuple[str, ...]
    is_beginning: bool = False


# One of these is there.
Choice = tuple[Term, ...]


@dataclass(frozen=True)
class Query:
    """Of each choice of `every`, one is there, and none of `none`."""

    every: tuple[Choice, ...] = ()
    none: tuple[Term, ...] = ()

    def and_also(self, *choices: Choice, without: Iterable[Term] = ()) -> "Query":
        return replace(self, every=self.every + choices, none=(*self.none, *without))


@dataclass(frozen=True)
class Wording:
    """What somebody typed: what must be there, and what must not."""

    asked: tuple[tuple[str, ...], ...] = ()
    phrases: frozenset[tuple[str, ...]] = frozenset()
    beginnings: frozenset[tuple[str, ...]] = frozenset()
    unwanted: tuple[tuple[str, ...], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.asked or self.unwanted)

    def anywhere(self) -> Query:
        return Query(
            tuple(self._choice(each, "") for each in self.asked),
            tuple(term for each in self.unwanted for term in self._choice(each, "")),
        )

    def in_title(self) -> tuple[Choice, ...]:
        return tuple(self._choice(each, TITLE) for each in self.asked)

    def _choice(self, each: tuple[str, ...], where: str) -> Choice:
        here = tuple(where + word for word in each)
        if each in self.beginnings:
            return (_begins(each[0], where),)
        if len(each) > 1 or each in self.phrases:
            return (Term(here),)
        stem = words.stem(each[0])
        forms = dict.fromkeys((here[0], where + stem, where + STEM + stem))
        return tuple(Term((form,)) for form in forms)


def read(text: str) -> Wording:
    """What was typed. Words that belong together, as in `e-mail`, are a phrase."""
    asked: list[tuple[str, ...]] = []
    unwanted: list[tuple[str, ...]] = []
    phrases, beginnings = set(), set()
    for piece in PIECE.finditer(text[:LONGEST]):
        given = piece["word"] if piece["phrase"] is None else piece["phrase"]
        found = tuple(words.words(given))
        if not found:
            continue
        if piece["phrase"] is not None:
            phrases.add(found)
        elif given.endswith("*") and len(found) == 1 and len(found[0]) >= SHORTEST_BEGINNING:
            beginnings.add(found)
        (unwanted if piece["no"] else asked).append(found)
    return Wording(
        tuple(dict.fromkeys(asked))[:MOST],
        frozenset(phrases),
        frozenset(beginnings),
        tuple(dict.fromkeys(unwanted))[:MOST],
    )


def beginning(text: str) -> tuple[Choice, ...]:
    """Titles that have these words, the last of which may not be whole yet."""
    found = words.words(text[:LONGEST])[:MOST]
    if not found or len(found[-1]) < SHORTEST_BEGINNING:
        return ()
    whole = tuple((Term((TITLE + word,)),) for word in found[:-1])
    return (*whole, (_begins(found[-1], TITLE),))


def _begins(word: str, where: str) -> Term:
    """A word that begins so. Of those in titles the index has the beginnings, as labels."""
    if where == TITLE and len(word) <= LONGEST_BEGINNING:
        return Term((OPENING + word,))
    return Term((where + word,), is_beginning=True)


def one(token: str) -> Choice:
    """A label that is there."""
    return (Term((token,)),)


def any_of(tokens: Iterable[str]) -> Choice:
    return tuple(Term((token,)) for token in tokens)


def for_fts5(query: Query) -> str:
    """The query as SQLite's FTS5 reads it. Words hold letters and digits alone, so that nothing
    in them means anything to it.
    """
    text = " AND ".join(_either(choice, " OR ", _fts5_term) for choice in query.every)
    if query.none:
        text = f"({text}) NOT {_either(query.none, ' OR ', _fts5_term)}"
    return text


def for_tsquery(query: Query) -> str:
    """The query as PostgreSQL reads it."""
    parts = [_either(choice, " | ", _tsquery_term) for choice in query.every]
    if query.none:
        parts.append(f"!{_either(query.none, ' | ', _tsquery_term)}")
    return " & ".join(parts)


def _either(choice: Sequence[Term], word: str, write: Callable[[Term], str]) -> str:
    return f"({word.join(map(write, choice))})"


def _fts5_term(term: Term) -> str:
    return f'"{" ".join(term.words)}"' + (" *" if term.is_beginning else "")


def _tsquery_term(term: Term) -> str:
    ending = ":*" if term.is_beginning else ""
    return " <-> ".join(f"'{word}'" for word in term.words) + ending
