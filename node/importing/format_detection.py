"""Detects the format of an import file by its content and name, and reads its projects. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import PurePath
from typing import Any

from node.errors import InvalidInputError
from node.importing import civic_json, markdown, publiccode, tables
from node.importing.limits import check_bytes
from node.importing.parsed_project import ParsedProject
from node.importing.safe_parsing import decode_text, read_json, read_xml, read_yaml
from node.messages import msg

# First bytes of office documents, which people select instead of a CSV export.
WORKBOOK_MAGIC = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
PDF_MAGIC = b"%PDF-"
MARKDOWN_SUFFIXES = frozenset({".md", ".markdown"})


def read_projects(name: str, data: bytes, source: str = "") -> list[ParsedProject]:
    """The projects in a file, at least one.

    `source` is the officer's name for the list that the file belongs to: ids in files of the same
    list mean the same project.

    Raises `InvalidInputError`, with a one-line message, and no other error whatever the bytes are.
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
    """The projects in YAML, Markdown, or a table that is not named as one."""
    first_line = text.lstrip().partition("\n")[0].rstrip("\r")
    is_yaml = kind in {".yml", ".yaml"}
    if kind in MARKDOWN_SUFFIXES or (first_line == markdown.FRONT_MATTER_FENCE and not is_yaml):
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
    """Give each project a key by which a later import recognises it: its own address, or the list
    and its id there, or else the digest of the file and its position.

    Raises `InvalidInputError` for two projects with the same key.
    """
    list_name = " ".join(source.split())
    digest = sha256(data).hexdigest()
    positions: dict[str, list[int]] = defaultdict(list)
    assigned = []
    for number, project in enumerate(projects, 1):
        key = project.source
        if list_name and not key:
            key = f"list {list_name.casefold()} {project.id or project.text.title.casefold()}"
        key = key or f"file {digest} {number}"
        positions[key].append(number)
        assigned.append(replace(project, source=key))
    duplicates = next((numbers for numbers in positions.values() if len(numbers) > 1), None)
    if duplicates:
        raise InvalidInputError(
            msg(
                "Projects %(numbers)s have the same ID or address. Give each project a "
                "different ID or address.",
                numbers=", ".join(map(str, duplicates[:10])),
            )
        )
    return assigned


def _decode_spreadsheet(data: bytes) -> str:
    """CSV as text: UTF-8 or UTF-16, or else cp1252, in which Excel in Britain saves plain CSV."""
    try:
        return decode_text(data)
    except InvalidInputError:
        if b"\0" in data:
            raise
        return data.decode("cp1252", errors="replace")


def _parse_json(document: Any) -> list[ParsedProject]:
    if publiccode.is_publiccode(document):
        return [publiccode.parse(document)]
    if civic_json.is_civic(document):
        return [civic_json.parse(document)]
    raise InvalidInputError(msg("A JSON file must be civic.json."))


def _parse_yaml(text: str) -> ParsedProject:
    document = read_yaml(text)
    if not isinstance(document, Mapping):
        raise InvalidInputError(msg("A YAML file must be publiccode.yml."))
    if publiccode.is_publiccode(document):
        return publiccode.parse(document)
    if civic_json.is_civic(document):
        return civic_json.parse(document)
    raise InvalidInputError(
        msg("A YAML file must be publiccode.yml. This file does not have publiccodeYmlVersion.")
    )
