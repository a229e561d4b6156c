"""Which format a file has, by its content and its name, and what is in it. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import PurePath
from typing import Any

from node.errors import InvalidInputError
from node.importing import civic, markdown, publiccode, tables
from node.importing.limits import check_bytes
from node.importing.parsed_project import ParsedProject
from node.importing.structured import decode_text, read_json, read_xml, read_yaml
from node.messages import msg

# How files begin that people take for a table or a text, and that are none.
WORKBOOK_MAGIC = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
PDF_MAGIC = b"%PDF-"
MARKDOWN_SUFFIXES = frozenset({".md", ".markdown"})


def read_projects(name: str, data: bytes, source: str = "") -> list[ParsedProject]:
    """The projects in a file, at least one. `source` is what a person calls the list that the file
    is of: within it, what the file calls a project means the same each time.

    Raises `InvalidInputError`, in one line, and nothing else whatever the bytes are.
    """
    check_bytes(data)
    if not data.strip():
        raise InvalidInputError(msg("The file is empty."))
    return _assign_sources(_parse_file(PurePath(name).suffix.casefold(), data), data, source)


def _parse_file(kind: str, data: bytes) -> list[ParsedProject]:
    _reject_office_files(data)
    if kind == ".xml" or data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return tables.read_xml(read_xml(data))
    if kind in {".csv", ".tsv"}:
        return tables.read_csv(_decode_spreadsheet(data))
    text = decode_text(data)
    if kind == ".json" or text.lstrip().startswith(("{", "[")):
        return _parse_json(read_json(text))
    return _parse_text(kind, text)


def _parse_text(kind: str, text: str) -> list[ParsedProject]:
    """What is in YAML, Markdown, or a table whose name does not say that it is one."""
    first_line = text.lstrip().partition("\n")[0].rstrip("\r")
    is_yaml = kind in {".yml", ".yaml"}
    if kind in MARKDOWN_SUFFIXES or (first_line == markdown.FENCE and not is_yaml):
        return [markdown.parse(text)]
    if is_yaml or publiccode.VERSION_KEY in text:
        return [_parse_yaml(text)]
    if any(mark in first_line for mark in tables.DELIMITERS):
        return tables.read_csv(text)
    if first_line.startswith("# "):
        return [markdown.parse(text)]
    raise InvalidInputError(
        msg("The file must be publiccode.yml, civic.json, CSV, Pipeline XML or Markdown.")
    )


def _reject_office_files(data: bytes) -> None:
    if data.startswith(WORKBOOK_MAGIC):
        raise InvalidInputError(
            msg(
                "The file is a spreadsheet or office document. Save it as CSV (UTF-8), "
                "then select that file."
            )
        )
    if data.startswith(PDF_MAGIC):
        raise InvalidInputError(msg("The file is a PDF. Select the file it was made from."))


def _assign_sources(
    projects: Sequence[ParsedProject], data: bytes, source: str
) -> list[ParsedProject]:
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
            msg(
                "Projects %(numbers)s have the same ID or address. Give each project its own.",
                numbers=", ".join(map(str, doubled[:10])),
            )
        )
    return known


def _decode_spreadsheet(data: bytes) -> str:
    """UTF-8, or what spreadsheets in Britain save where they are asked for CSV alone."""
    try:
        return decode_text(data)
    except InvalidInputError:
        if b"\0" in data:
            raise
        return data.decode("cp1252", errors="replace")


def _parse_json(document: Any) -> list[ParsedProject]:
    if publiccode.is_publiccode(document):
        return [publiccode.parse(document)]
    if civic.is_civic(document):
        return [civic.parse(document)]
    raise InvalidInputError(msg("The file is JSON, but not civic.json."))


def _parse_yaml(text: str) -> ParsedProject:
    document = read_yaml(text)
    if not isinstance(document, Mapping):
        raise InvalidInputError(msg("The file is YAML, but not publiccode.yml."))
    if publiccode.is_publiccode(document):
        return publiccode.parse(document)
    if civic.is_civic(document):
        return civic.parse(document)
    raise InvalidInputError(
        msg("The file is YAML, but not publiccode.yml: publiccodeYmlVersion is missing.")
    )
