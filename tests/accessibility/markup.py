"""Whether pages are HTML as the standard has it, so that every browser builds the same of them."""

import html5lib

Errors = list[tuple[tuple[int, int], str, dict[str, object]]]


def errors(text: str) -> list[str]:
    """What a parser of the standard says is wrong with a page, with line and column."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    parser.parse(text)
    found: Errors = parser.errors
    return [f"{code} at {line}:{column} {more}" for (line, column), code, more in found]
