"""Which format a file has, by its content and its name, and what is in it. Pure."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from node.errors import InvalidInputError
from node.importing import civic, publiccode, rows
from node.importing.found import Found
from node.importing.structured import read_json, read_xml, read_yaml, text_of
from node.projects import files
from node.wording import say

# As much as the descriptions of a council's projects are.
LARGEST = 1024 * 1024
LARGEST_YAML = 128 * 1024


def read(name: str, data: bytes) -> list[Found]:
    """The projects in a file, at least one. Raises `InvalidInputError`, in one line."""
    if len(data) > LARGEST:
        raise InvalidInputError(say("It is larger than %(size)s KB.", size=LARGEST // 1024))
    if not data.strip():
        raise InvalidInputError(say("It is empty."))
    kind = PurePath(name).suffix.casefold()
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if kind == ".xml" or start.startswith(b"<"):
        return rows.read_xml(read_xml(data))
    if kind in {".csv", ".tsv"}:
        return rows.read_csv(_spreadsheet(data))
    text = text_of(data)
    if kind == ".json" or start.startswith((b"{", b"[")):
        return _of_json(read_json(text))
    if start.startswith(b"---\n") and kind not in {".yml", ".yaml"}:
        return [_of_markdown(name, text)]
    if kind in {".yml", ".yaml"} or publiccode.MARK in text:
        return [_of_yaml(text)]
    first_line = text.lstrip().partition("\n")[0]
    if any(mark in first_line for mark in ",;\t"):
        return rows.read_csv(text)
    raise InvalidInputError(
        say(
            "It is none of the formats that are read: publiccode.yml, civic.json,"
            " CSV, Pipeline XML, Markdown."
        )
    )


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
    raise InvalidInputError(say("It is JSON, but no civic.json."))


def _of_yaml(text: str) -> Found:
    if len(text) > LARGEST_YAML:
        raise InvalidInputError(say("It is larger than %(size)s KB.", size=LARGEST_YAML // 1024))
    document = read_yaml(text)
    if not isinstance(document, Mapping):
        raise InvalidInputError(say("It is YAML, but no publiccode.yml."))
    if publiccode.is_publiccode(document):
        return publiccode.read(document)
    if civic.is_civic(document):
        return civic.read(document)
    raise InvalidInputError(
        say("It is YAML, but no publiccode.yml: publiccodeYmlVersion is missing.")
    )


def _of_markdown(name: str, text: str) -> Found:
    return Found(files.parse(text, name))
