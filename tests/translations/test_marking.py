"""Every text that people read is marked for translation where it is written."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from node.web.message_extraction import PROJECT_ROOT

TEMPLATES = sorted(
    path
    for folder in ("node", "plugins")
    for path in (PROJECT_ROOT / folder).glob("**/templates/**/*")
    if path.is_file() and "tests" not in path.parts
)
SOURCES = sorted(
    path
    for folder in ("node", "plugins")
    for path in (PROJECT_ROOT / folder).glob("**/*.py")
    if "tests" not in path.parts
)
# Functions whose first arguments are message ids, with the number of ids, and their modules.
MARKS = {"gettext": 1, "lazy_gettext": 1, "msg": 1}
MARKS |= {"ngettext": 2, "lazy_ngettext": 2, "msg_count": 2}
FROM = frozenset({"flask_babel", "node.messages", "node.api"})
# Names are the same in every language.
NAMES = re.compile(
    r"\b(?:equalityadvisoryservice\.com|Moothall|Markdown|JSON|CSV|ActivityPub|GitHub|Mastodon)\b"
)
SHOWN = frozenset({"alt", "title", "placeholder", "aria-label", "aria-description", "label"})
SILENT = frozenset({"script", "style", "code"})
# Parameters of GOV.UK macros that are shown.
TEXTS = re.compile(r"text|html|\w*(?:Text|Label|Message|Html)|label|legend|hint|caption")
WORD = re.compile(r"[^\W\d_]{2,}")


def is_literal(call: ast.Call, place: int) -> bool:
    """Whether an argument is a string literal."""
    argument = call.args[place] if len(call.args) > place else None
    return isinstance(argument, ast.Constant) and isinstance(argument.value, str)


def unmarked_calls(text: str) -> Iterator[int]:
    """The lines with a call for translation whose message id is not a literal."""
    module = ast.parse(text)
    marks = {
        name.asname or name.name: MARKS[name.name]
        for item in ast.walk(module)
        if isinstance(item, ast.ImportFrom) and item.module in FROM
        for name in item.names
        if name.name in MARKS
    }
    for item in ast.walk(module):
        if isinstance(item, ast.Call) and isinstance(item.func, ast.Name):
            places = marks.get(item.func.id, 0)
            if not all(is_literal(item, place) for place in range(places)):
                yield item.lineno


def test_message_ids_are_literals() -> None:
    wrong = [
        f"{path.relative_to(PROJECT_ROOT)}:{line}"
        for path in SOURCES
        for line in unmarked_calls(path.read_text())
    ]
    assert not wrong


def test_message_ids_that_are_not_literals_are_detected() -> None:
    text = """
from flask_babel import gettext as _, ngettext
from node.messages import msg
_("a")
_(f"{b}")
msg(c)
ngettext("a", b, 1)
gettext(c)
"""
    assert list(unmarked_calls(text)) == [5, 6, 7]


class Visible(HTMLParser):
    """The visible words of a page without template expressions."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in SILENT
        for name, value in attrs:
            if name in SHOWN or (tag == "input" and name == "value"):
                self.note(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in SILENT

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.note(data)

    def note(self, text: str) -> None:
        if WORD.search(NAMES.sub("", text)):
            self.words.append(" ".join(text.split()))


def unmarked_words(environment: Environment, source: str) -> list[str]:
    """The words of a template that are not marked for translation."""
    pieces = []
    for _line, kind, value in environment.lex(source):
        if kind == "data":
            pieces.append(value)
        elif kind in {"variable_begin", "block_begin"}:
            pieces.append("\ufffc")
    page = Visible()
    page.feed("".join(pieces).replace("\ufffc", ""))
    page.close()
    return page.words + list(macro_arguments(environment.parse(source)))


def macro_arguments(template: nodes.Template) -> Iterator[str]:
    """The words passed to macros that are not marked for translation."""
    for pair in template.find_all(nodes.Pair):
        key = pair.key.value if isinstance(pair.key, nodes.Const) else ""
        if TEXTS.fullmatch(str(key)):
            yield from words_of(pair.value)


def words_of(value: nodes.Expr) -> Iterator[str]:
    if isinstance(value, nodes.CondExpr):
        yield from words_of(value.expr1)
        if value.expr2 is not None:
            yield from words_of(value.expr2)
    elif isinstance(value, nodes.Const) and WORD.search(NAMES.sub("", str(value.value))):
        yield str(value.value)


@pytest.fixture(scope="module")
def environment() -> Environment:
    return Environment(
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
    )


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_have_no_unmarked_words(path: Path, environment: Environment) -> None:
    assert unmarked_words(environment, path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello</p>",
        '<p title="Hello">{{ x }}</p>',
        '<img alt="Hello">',
        "<p>{{ _('Hello') }} there</p>",
        '{{ govukButton({"text": "Hello"}) }}',
        '{{ govukButton({"text": _("Hello") if x else "there"}) }}',
        '<input type="submit" value="Hello">',
    ],
)
def test_unmarked_words_are_detected(source: str, environment: Environment) -> None:
    assert unmarked_words(environment, source)


@pytest.mark.parametrize(
    "source",
    [
        "<p>{{ _('Hello') }}</p>",
        '<p title="{{ _("Hello") }}">Moothall, 2026 · {{ x }}</p>',
        "{# Hello #}<code>## {{ _('Hello') }}</code>",
        "<script>let hello</script>",
    ],
)
def test_marked_words_are_accepted(source: str, environment: Environment) -> None:
    assert unmarked_words(environment, source) == []
