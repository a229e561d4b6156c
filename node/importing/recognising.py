"""Which format a file has, by its content and its name, and what is in it. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import PurePath
from typing import Any

from node.errors import InvalidInputError
from node.importing import civic, markdown, publiccode, tables
from node.importing.found import Found
from node.importing.limits import check_bytes
from node.importing.structured import read_json, read_xml, read_yaml, text_of
from node.wording import say

# How files begin that people take for a table or a text, and that are none.
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
PDF = b"%PDF-"
MARKDOWN = frozenset({".md", ".markdown"})


def read(name: str, data: bytes, source: str = "") -> list[Found]:
    """The projects in a file, at least one. `source` is what a person calls the list that the file
    is of: within it, what the file calls a project means the same each time.

    Raises `InvalidInputError`, in one line, and nothing else whatever the bytes are.
    """
    check_bytes(data)
    if not data.strip():
        raise InvalidInputError(say("The file is empty."))
    return _known_by(_read(PurePath(name).suffix.casefold(), data), data, source)


def _read(kind: str, data: bytes) -> list[Found]:
    _refuse_documents(data)
    if kind == ".xml" or data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return tables.read_xml(read_xml(data))
    if kind in {".csv", ".tsv"}:
        return tables.read_csv(_spreadsheet(data))
    text = text_of(data)
    if kind == ".json" or text.lstrip().startswith(("{", "[")):
        return _of_json(read_json(text))
    return _of_lines(kind, text)


def _of_lines(kind: str, text: str) -> list[Found]:
    """What is in YAML, Markdown, or a table whose name does not say that it is one."""
    first_line = text.lstrip().partition("\n")[0].rstrip("\r")
    is_yaml = kind in {".yml", ".yaml"}
    if kind in MARKDOWN or (first_line == markdown.FENCE and not is_yaml):
        return [markdown.parse(text)]
    if is_yaml or publiccode.MARK in text:
        return [_of_yaml(text)]
    if any(mark in first_line for mark in tables.DELIMITERS):
        return tables.read_csv(text)
    if first_line.startswith("# "):
        return [markdown.parse(text)]
    raise InvalidInputError(
        say("The file must be publiccode.yml, civic.json, CSV, Pipeline XML or Markdown.")
    )


def _refuse_documents(data: bytes) -> None:
    if data.startswith(WORKBOOKS):
        raise InvalidInputError(
            say(
                "The file is a spreadsheet or office document. Save it as CSV (UTF-8), "
                "then select that file."
            )
        )
    if data.startswith(PDF):
        raise InvalidInputError(say("The file is a PDF. Select the file it was made from."))


def _known_by(projects: Sequence[Found], data: bytes, source: str) -> list[Found]:
    """Each with what it is known by: its own address, or what the list of that name calls it, or
    else its place in this very file.

    Raises `InvalidInputError` for two with one name.
    """
    named = " ".join(source.split())
    digest = sha256(data).hexdigest()
    places: dict[str, list[int]] = defaultdict(list)
    known = []
    for number, each in enumerate(projects, 1):
        key = each.source
        if named and not key:
            key = f"list {named.casefold()} {each.id or each.text.title.casefold()}"
        key = key or f"file {digest} {number}"
        places[key].append(number)
        known.append(replace(each, source=key))
    doubled = next((rows for rows in places.values() if len(rows) > 1), None)
    if doubled:
        raise InvalidInputError(
            say(
                "Projects %(numbers)s have the same ID or address. Give each project its own.",
                numbers=", ".join(map(str, doubled[:10])),
            )
        )
    return known


def _spreadsheet(data: bytes) -> str:
    """UTF-8, or what spreadsheets in Britain save where they are asked for CSV alone."""
    try:
        return text_of(data)
    except InvalidInputError:
        if b"\0" in data:
            raise
        return data.decode("cp1252", errors="replace")


def _of_json(document: Any) -> list[Found]:
    if publiccode.is_publiccode(document):
        return [publiccode.read(document)]
    if civic.is_civic(document):
        return [civic.read(document)]
    raise InvalidInputError(say("The file is JSON, but not civic.json."))


def _of_yaml(text: str) -> Found:
    document = read_yaml(text)
    if not isinstance(document, Mapping):
        raise InvalidInputError(say("The file is YAML, but not publiccode.yml."))
    if publiccode.is_publiccode(document):
        return publiccode.read(document)
    if civic.is_civic(document):
        return civic.read(document)
    raise InvalidInputError(
        say("The file is YAML, but not publiccode.yml: publiccodeYmlVersion is missing.")
    )
