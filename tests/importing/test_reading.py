"""Reading any file gives projects or an error of one line."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from node.errors import InvalidInputError
from node.importing import civic_json, publiccode, service
from node.importing.columns import FIELD_ALIASES
from node.importing.format_detection import read_projects
from node.projects.rendering import render

ALIASES = sorted({alias for aliases in FIELD_ALIASES.values() for alias in aliases.split()})
KINDS = ("csv", "tsv", "xml", "json", "yml", "yaml", "md", "txt", "")
STRANGE = (
    *("1" * 5000 + "-2k", "1e999", "nan", "٣٣", "²", "<p>x", "<dl><dt>" * 9, "[" * 50, "x@y"),
    *("https://[", "http://a.b:99999", "0000-00-00", "9999-12-31"),
)
CELLS = st.one_of(
    st.text(max_size=30),
    st.from_regex(r"[0-9]{1,9}[/.-][0-9A-Za-z]{1,4}[/.-][0-9]{1,5}", fullmatch=True),
    st.from_regex(r"(£?[0-9,.]{1,20}[km]?( ?(-|to) ?)?){1,3}", fullmatch=True),
    st.sampled_from(STRANGE),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | CELLS,
    lambda part: (
        st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=8), part, max_size=3)
    ),
    max_leaves=12,
)


def check(name: str, data: bytes, source: str = "") -> None:
    """The file can be read and saved, or is rejected with an error of one line."""
    error_text, projects = "", []
    try:
        projects = service.validate_all(read_projects(name, data, source))
    except InvalidInputError as error:
        error_text = error.safe_text
    assert bool(error_text) != bool(projects)
    assert "\n" not in error_text
    texts = [error_text]
    for each in projects:
        texts += [each.text.title, each.text.summary, render(each.text).content, *each.notes]
    assert "".join(texts).encode()


@given(st.sampled_from(KINDS), st.binary(max_size=300))
def test_any_bytes(kind: str, data: bytes) -> None:
    check(f"file.{kind}", data)


@given(
    st.lists(st.sampled_from(ALIASES) | st.text(max_size=8), min_size=1, max_size=6),
    st.lists(st.lists(CELLS, max_size=6), max_size=4),
    st.sampled_from(",;\t"),
    st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]),
    st.sampled_from(["", "Register"]),
)
@example(["title", "budget"], [["x", "1" * 5000 + "-2k"]], ",", "utf-8", "")
def test_any_table(
    columns: list[str], rows: list[list[str]], mark: str, encoding: str, source: str
) -> None:
    lines = [mark.join(["title", *columns]), *(mark.join(["x", *row]) for row in rows)]
    data = "\n".join(lines).encode(encoding, "surrogatepass" if encoding == "utf-8" else "replace")
    check("file.csv", data, source)


@given(st.dictionaries(st.sampled_from(sorted(civic_json.USED_KEYS)), VALUES, max_size=6))
@example({"name": "\ud800", "status": "x", "tags": ["x"]})
@example(
    {"name": "x", "description": "y", "tags": [], "status": "1" * 5000, "needs": [{"need": 1}]}
)
def test_any_civic_json(document: dict[str, object]) -> None:
    check("civic.json", json.dumps({"tags": "", "status": "", **document}).encode())


@given(st.dictionaries(st.sampled_from(sorted(publiccode.USED_KEYS)), VALUES, max_size=6))
@example({"description": {"en": {"shortDescription": "\ud800"}}, "name": "x"})
def test_any_publiccode(document: dict[str, object]) -> None:
    # JSON is YAML.
    check("publiccode.yml", json.dumps({"publiccodeYmlVersion": "1", **document}).encode())


@given(st.dictionaries(st.sampled_from(ALIASES), CELLS, max_size=6), st.text(max_size=20))
def test_any_xml(parts: dict[str, str], encoding: str) -> None:
    inside = "".join(f"<{name}><![CDATA[{text}]]></{name}>" for name, text in parts.items())
    declared = f'<?xml version="1.0" encoding="{encoding}"?>' if encoding else ""
    document = f"{declared}<a><b><title>x</title>{inside}</b></a>"
    check("file.xml", document.encode("utf-8", "surrogatepass"))


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_markdown(front: str, brief: str) -> None:
    for text in (f"---\n{front}\n---\n{brief}", f"# {front}\n{brief}", front):
        check("file.md", text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("encoding", ["utf-7", "rot13", "base64", "idna", "undefined", "utf-32"])
def test_unknown_encoding(encoding: str) -> None:
    document = f'<?xml version="1.0" encoding="{encoding}"?><a><title>x</title></a>'
    with pytest.raises(InvalidInputError, match="its encoding is not recognised"):
        read_projects("file.xml", document.encode())
