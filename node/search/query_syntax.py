"""Parses search text into queries, and renders queries for SQLite and PostgreSQL.

    missed bins        both words, in any form
    "missed bins"      this phrase, in these forms
    -garden            excludes the word
    recyc*             words that begin with these letters

Any other character separates words, so no input is an error.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from node.search import text_analysis

# Longer queries are cut: characters, and words or phrases.
MAX_LEN_QUERY = 300
MAX_TERMS = 16
MIN_LEN_PREFIX = 2
TITLE_MARK, STEM_MARK = "=", "~"
# Marks the first 2 to 6 letters of words in titles, which are indexed as labels.
PREFIX_MARK = "=_"
MAX_LEN_PREFIX = 6
TERM_PATTERN = re.compile(r'(?P<no>-?)(?:["“”](?P<phrase>[^"“”]*)["“”]?|(?P<word>[^\s"“”]+))')


@dataclass(frozen=True)
class Term:
    """Consecutive words, or a single label; with `is_prefix`, the beginning of a word."""

    words: tuple[str, ...]
    is_prefix: bool = False


# Terms of which a document must contain at least one.
Alternatives = tuple[Term, ...]


@dataclass(frozen=True)
class IndexQuery:
    """Finds documents with one term of each of `all_of`, and no term of `none_of`."""

    all_of: tuple[Alternatives, ...] = ()
    none_of: tuple[Term, ...] = ()

    def narrowed_by(
        self, *alternatives: Alternatives, without: Iterable[Term] = ()
    ) -> "IndexQuery":
        return replace(self, all_of=self.all_of + alternatives, none_of=(*self.none_of, *without))


@dataclass(frozen=True)
class ParsedQuery:
    """Search text, parsed. Words and phrases are tuples of words.

    `phrases` and `prefixes` say which of them were typed in quotes or with an asterisk.
    """

    required: tuple[tuple[str, ...], ...] = ()
    phrases: frozenset[tuple[str, ...]] = frozenset()
    prefixes: frozenset[tuple[str, ...]] = frozenset()
    excluded: tuple[tuple[str, ...], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.required or self.excluded)

    def to_query(self) -> IndexQuery:
        return IndexQuery(
            tuple(self._alternatives_for(words, "") for words in self.required),
            tuple(term for words in self.excluded for term in self._alternatives_for(words, "")),
        )

    def title_alternatives(self) -> tuple[Alternatives, ...]:
        return tuple(self._alternatives_for(words, TITLE_MARK) for words in self.required)

    def _alternatives_for(self, words: tuple[str, ...], mark: str) -> Alternatives:
        """The terms that match a word or phrase; `mark` limits them to titles."""
        marked = tuple(mark + word for word in words)
        if words in self.prefixes:
            return (_prefix_term(words[0], mark),)
        if len(words) > 1 or words in self.phrases:
            return (Term(marked),)
        stem = text_analysis.stem(words[0])
        forms = dict.fromkeys((marked[0], mark + stem, mark + STEM_MARK + stem))
        return tuple(Term((form,)) for form in forms)


def parse(text: str) -> ParsedQuery:
    """Parse search text. Words joined by punctuation, such as `e-mail`, are a phrase."""
    required: list[tuple[str, ...]] = []
    excluded: list[tuple[str, ...]] = []
    phrases, prefixes = set(), set()
    for piece in TERM_PATTERN.finditer(text[:MAX_LEN_QUERY]):
        typed = piece["word"] if piece["phrase"] is None else piece["phrase"]
        words = tuple(text_analysis.split_words(typed))
        if not words:
            continue
        if piece["phrase"] is not None:
            phrases.add(words)
        elif typed.endswith("*") and len(words) == 1 and len(words[0]) >= MIN_LEN_PREFIX:
            prefixes.add(words)
        (excluded if piece["no"] else required).append(words)
    return ParsedQuery(
        tuple(dict.fromkeys(required))[:MAX_TERMS],
        frozenset(phrases),
        frozenset(prefixes),
        tuple(dict.fromkeys(excluded))[:MAX_TERMS],
    )


def parse_prefix(text: str) -> tuple[Alternatives, ...]:
    """Search text that is still being typed, as a query on titles: its last word is a prefix."""
    words = text_analysis.split_words(text[:MAX_LEN_QUERY])[:MAX_TERMS]
    if not words or len(words[-1]) < MIN_LEN_PREFIX:
        return ()
    complete = tuple((Term((TITLE_MARK + word,)),) for word in words[:-1])
    return (*complete, (_prefix_term(words[-1], TITLE_MARK),))


def _prefix_term(word: str, mark: str) -> Term:
    """A term for words that begin with `word`: a label, where titles have one for the prefix."""
    if mark == TITLE_MARK and len(word) <= MAX_LEN_PREFIX:
        return Term((PREFIX_MARK + word,))
    return Term((mark + word,), is_prefix=True)


def has_label(token: str) -> Alternatives:
    """Documents that have this label."""
    return (Term((token,)),)


def has_any_label(tokens: Iterable[str]) -> Alternatives:
    return tuple(Term((token,)) for token in tokens)


def to_fts5(query: IndexQuery) -> str:
    """The query in the syntax of SQLite's FTS5. Terms contain only letters, digits and our marks,
    so nothing in them needs escaping.
    """
    text = " AND ".join(_join_alternatives(terms, " OR ", _fts5_term) for terms in query.all_of)
    if query.none_of:
        text = f"({text}) NOT {_join_alternatives(query.none_of, ' OR ', _fts5_term)}"
    return text


def to_tsquery(query: IndexQuery) -> str:
    """The query in the syntax of PostgreSQL's `tsquery`."""
    parts = [_join_alternatives(terms, " | ", _tsquery_term) for terms in query.all_of]
    if query.none_of:
        parts.append(f"!{_join_alternatives(query.none_of, ' | ', _tsquery_term)}")
    return " & ".join(parts)


def _join_alternatives(terms: Sequence[Term], operator: str, write: Callable[[Term], str]) -> str:
    return f"({operator.join(map(write, terms))})"


def _fts5_term(term: Term) -> str:
    return f'"{" ".join(term.words)}"' + (" *" if term.is_prefix else "")


def _tsquery_term(term: Term) -> str:
    ending = ":*" if term.is_prefix else ""
    return " <-> ".join(f"'{word}'" for word in term.words) + ending
