"""No bytes make a reader of files or documents raise anything but what it says it raises."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from federation.errors import FederationError
from federation.vocabulary import Article, parse_json
from node import markup
from node.errors import InvalidInputError
from node.federating.peers import peer_lists
from node.importing import markdown
from node.mail import notify
from node.projects import federate
from node.projects.details import Details, parse
from node.services import service as services
from plugins.checklists.definitions import parsing
from plugins.checklists.definitions.data_reader import DefinitionError

PIECES = [
    *("id", "version", "title", "sections", "questions", "text", "en", "cy", "severity", "domain"),
    *("\n", "\n  ", "\n- ", ": ", ",", '"', "'", "{", "}", "[", "]", "&a ", "*a", "!!int ", "? "),
    *("| ", "> ", "---\n", "#", "%", "@", "\t", "\0", "\r\n", "\ufeff", "\u2028", "\ufffe", "é"),
    *("<b>", "</b>", "<p ", "<!--", "-->", "<a href='", "]]>", "&#0;", "&lt;", "host,state\n"),
    *("9" * 5_000, "-1", "1e999", "NaN", "null", "true", "a.example,blocked", "x" * 70),
]
SEVERAL = st.lists(st.sampled_from(PIECES), max_size=40)
BYTES = st.one_of(
    st.binary(max_size=300),
    SEVERAL.map(lambda parts: "".join(parts).encode()),
    st.tuples(SEVERAL, st.binary(max_size=4)).map(lambda two: "".join(two[0]).encode() + two[1]),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=9), inside),
    max_leaves=12,
)
bounded = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
short = settings(bounded, max_examples=50)


def _list_of_services(body: bytes) -> Any:
    return list(services._parse_csv(body.decode("utf-8", "replace").splitlines()))


READERS: dict[str, tuple[Callable[[bytes], Any], tuple[type[Exception], ...]]] = {
    "checklist": (parsing.parse_yaml, (DefinitionError,)),
    "list of servers": (peer_lists.parse_list, (InvalidInputError,)),
    "list of services": (_list_of_services, ()),
    "document": (parse_json, (FederationError,)),
    "answer of Notify": (lambda body: notify._describe_error(400, body), ()),
    "Markdown": (lambda body: markup.render_markdown(body.decode("utf-8", "replace")), ()),
    "project in a file": (
        lambda body: markdown.parse(body.decode("utf-8", "replace")),
        (InvalidInputError,),
    ),
    "HTML": (
        lambda body: markup.sanitise_received("content", body.decode("utf-8", "replace"), 9_999),
        (FederationError,),
    ),
}


@pytest.mark.parametrize("name", READERS)
def test_any_bytes(name: str) -> None:
    read, refusals = READERS[name]

    @bounded
    @given(BYTES)
    def run(body: bytes) -> None:
        with suppress(*refusals):
            read(body)

    run()


@pytest.mark.parametrize(
    "body", [b"[" * 99_999, b"{a: " * 50_000, b"a: [" + b"a," * 99_000, b"- " * 99_999]
)
def test_what_is_deep_or_has_many_parts_is_refused(body: bytes) -> None:
    with pytest.raises(DefinitionError):
        parsing.parse_yaml(body)
    with pytest.raises(FederationError):
        parse_json(body)
    assert notify._describe_error(400, body)


def test_a_number_of_a_service_has_an_end() -> None:
    assert _list_of_services(b"ID,Name\n" + b"1" * 5_000 + b",Bins\n567,Bins\n") == [(567, "Bins")]


PROPERTIES = ("details", "name", "content", "plainSummary", "contentMap", "nameMap", "updated")


@short
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(PROPERTIES, JSON)))
def test_any_project_of_another_server(given_values: dict[str, Any]) -> None:
    document = {"id": "https://a.example/1", "type": "Article", "phase": "alpha", "content": "x"}
    with suppress(FederationError):
        federate.from_article(Article.parse(document | given_values))


@short
@given(st.dictionaries(st.sampled_from([*Details.__dataclass_fields__]), JSON))
def test_any_details(document: dict[str, Any]) -> None:
    """What is read can be written again, as JSON in UTF-8."""
    found = parse(Details, document)
    json.dumps(found.tags).encode()
    found.why.encode()
    found.department.encode()
