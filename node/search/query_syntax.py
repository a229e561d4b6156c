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

from node.search import text_analysis

# More is not looked at.
MAX_LEN_QUERY = 300
MAX_TERMS = 16
MIN_LEN_PREFIX = 2
TITLE_MARK, STEM_MARK = "=", "~"
# Before the beginnings of the words of titles, from the shortest to the longest.
PREFIX_MARK = "=_"
MAX_LEN_PREFIX = 6
PIECE_PATTERN = re.compile(r'(?P<no>-?)(?:["“”](?P<phrase>[^"“”]*)["“”]?|(?P<word>[^\s"“”]+))')


@dataclass(frozen=True)
class Term:
    """Words one after the other; one that begins so, if `is_beginning`."""

    words: tuple[str, ...]
    is_prefix: bool = False


# One of these is there.
Alternatives = tuple[Term, ...]


@dataclass(frozen=True)
class IndexQuery:
    """Of each choice of `every`, one is there, and none of `none`."""

    all_of: tuple[Alternatives, ...] = ()
    none_of: tuple[Term, ...] = ()

    def and_also(self, *choices: Alternatives, without: Iterable[Term] = ()) -> "IndexQuery":
        return replace(self, all_of=self.all_of + choices, none_of=(*self.none_of, *without))


@dataclass(frozen=True)
class ParsedQuery:
    """What somebody typed: what must be there, and what must not."""

    required: tuple[tuple[str, ...], ...] = ()
    phrases: frozenset[tuple[str, ...]] = frozenset()
    prefixes: frozenset[tuple[str, ...]] = frozenset()
    excluded: tuple[tuple[str, ...], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.required or self.excluded)

    def to_query(self) -> IndexQuery:
        return IndexQuery(
            tuple(self._alternatives_for(each, "") for each in self.required),
            tuple(term for each in self.excluded for term in self._alternatives_for(each, "")),
        )

    def title_alternatives(self) -> tuple[Alternatives, ...]:
        return tuple(self._alternatives_for(each, TITLE_MARK) for each in self.required)

    def _alternatives_for(self, each: tuple[str, ...], where: str) -> Alternatives:
        here = tuple(where + word for word in each)
        if each in self.prefixes:
            return (_prefix_term(each[0], where),)
        if len(each) > 1 or each in self.phrases:
            return (Term(here),)
        stem = text_analysis.stem(each[0])
        forms = dict.fromkeys((here[0], where + stem, where + STEM_MARK + stem))
        return tuple(Term((form,)) for form in forms)


def parse(text: str) -> ParsedQuery:
    """What was typed. Words that belong together, as in `e-mail`, are a phrase."""
    asked: list[tuple[str, ...]] = []
    unwanted: list[tuple[str, ...]] = []
    phrases, beginnings = set(), set()
    for piece in PIECE_PATTERN.finditer(text[:MAX_LEN_QUERY]):
        given = piece["word"] if piece["phrase"] is None else piece["phrase"]
        found = tuple(text_analysis.split_words(given))
        if not found:
            continue
        if piece["phrase"] is not None:
            phrases.add(found)
        elif given.endswith("*") and len(found) == 1 and len(found[0]) >= MIN_LEN_PREFIX:
            beginnings.add(found)
        (unwanted if piece["no"] else asked).append(found)
    return ParsedQuery(
        tuple(dict.fromkeys(asked))[:MAX_TERMS],
        frozenset(phrases),
        frozenset(beginnings),
        tuple(dict.fromkeys(unwanted))[:MAX_TERMS],
    )


def parse_prefix(text: str) -> tuple[Alternatives, ...]:
    """Titles that have these words, the last of which may not be whole yet."""
    found = text_analysis.split_words(text[:MAX_LEN_QUERY])[:MAX_TERMS]
    if not found or len(found[-1]) < MIN_LEN_PREFIX:
        return ()
    whole = tuple((Term((TITLE_MARK + word,)),) for word in found[:-1])
    return (*whole, (_prefix_term(found[-1], TITLE_MARK),))


def _prefix_term(word: str, where: str) -> Term:
    """A word that begins so. Of those in titles the index has the beginnings, as labels."""
    if where == TITLE_MARK and len(word) <= MAX_LEN_PREFIX:
        return Term((PREFIX_MARK + word,))
    return Term((where + word,), is_prefix=True)


def exactly(token: str) -> Alternatives:
    """A label that is there."""
    return (Term((token,)),)


def any_of(tokens: Iterable[str]) -> Alternatives:
    return tuple(Term((token,)) for token in tokens)


def to_fts5(query: IndexQuery) -> str:
    """The query as SQLite's FTS5 reads it. Words hold letters and digits alone, so that nothing
    in them means anything to it.
    """
    text = " AND ".join(_join_alternatives(choice, " OR ", _fts5_term) for choice in query.all_of)
    if query.none_of:
        text = f"({text}) NOT {_join_alternatives(query.none_of, ' OR ', _fts5_term)}"
    return text


def to_tsquery(query: IndexQuery) -> str:
    """The query as PostgreSQL reads it."""
    parts = [_join_alternatives(choice, " | ", _tsquery_term) for choice in query.all_of]
    if query.none_of:
        parts.append(f"!{_join_alternatives(query.none_of, ' | ', _tsquery_term)}")
    return " & ".join(parts)


def _join_alternatives(choice: Sequence[Term], word: str, write: Callable[[Term], str]) -> str:
    return f"({word.join(map(write, choice))})"


def _fts5_term(term: Term) -> str:
    return f'"{" ".join(term.words)}"' + (" *" if term.is_prefix else "")


def _tsquery_term(term: Term) -> str:
    ending = ":*" if term.is_prefix else ""
    return " <-> ".join(f"'{word}'" for word in term.words) + ending
