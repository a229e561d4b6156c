"""Safely parses untrusted text, YAML, JSON and XML into plain values, within limits. Pure."""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import yaml
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from node.errors import InvalidInputError
from node.importing.limits import MAX_ELEMENTS, MAX_YAML_BYTES, check_structure
from node.messages import msg
from node.text import is_storable

# Byte order marks: spreadsheets on Windows save "Unicode text" as UTF-16.
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
XML_DECLARATION = re.compile(
    rb"""\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']"""
)
# Encodings accepted in XML, by their names in Python.
XML_ENCODINGS = frozenset({"utf-8", "utf-16", "ascii", "iso8859-1", "iso8859-15", "cp1252"})


def decode_text(data: bytes) -> str:
    """Bytes as text: UTF-8, or UTF-16 with its mark. Raises `InvalidInputError`."""
    try:
        text = data.decode("utf-16" if data.startswith(UTF_16_MARKS) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            msg("The file is not UTF-8 text: byte %(place)s cannot be read.", place=error.start + 1)
        ) from error
    if "\0" in text:
        raise InvalidInputError(msg("The file is not text: it contains a NUL character."))
    return text


class _TextLoader(yaml.BaseLoader):
    """Loads every scalar as the text that is written, except null. YAML's guesses at numbers,
    dates and booleans are not made.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Replace null keys by the empty text, so that all keys are texts."""
        parts: dict[Any, Any] = super().construct_mapping(node, deep)
        return {"" if name is None else name: value for name, value in parts.items()}


_TextLoader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""]
)
_TextLoader.add_constructor("tag:yaml.org,2002:null", lambda _loader, _node: None)


def read_yaml(text: str) -> Any:
    """A YAML document whose scalars are texts. Raises `InvalidInputError`.

    Aliases are refused, because a few of them can expand to a huge document.
    """
    if len(text) > MAX_YAML_BYTES:
        raise InvalidInputError(
            msg("The file must be %(size)sKB or smaller.", size=MAX_YAML_BYTES // 1024)
        )
    try:
        _check_yaml_events(yaml.parse(text, _TextLoader))
        document = yaml.load(text, _TextLoader)  # noqa: S506 -- it makes texts and nothing else
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise InvalidInputError(
            msg(
                "The file is not valid YAML: line %(line)s: %(problem)s.",
                line=mark.line + 1 if mark else 1,
                problem=error.problem or msg("unknown error"),
            )
        ) from error
    # Python, not the parser, raises for invalid character numbers and tags.
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise InvalidInputError(
            msg("The file is not valid YAML: it contains characters that are not allowed.")
        ) from error
    _check_json_values(document)
    return document


def _check_yaml_events(events: Iterator[Any]) -> None:
    depth = 0
    for count, event in enumerate(events):
        if isinstance(event, yaml.AliasEvent):
            raise InvalidInputError(
                msg("The file uses YAML aliases (*). Remove them and try again.")
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        check_structure(depth, count)


def read_json(text: str) -> Any:
    """A JSON document. Raises `InvalidInputError` that names the line of the error."""
    try:
        document = json.loads(text, parse_constant=_reject_constant)
    except json.JSONDecodeError as error:
        raise InvalidInputError(
            msg(
                "The file is not valid JSON: line %(line)s: %(problem)s.",
                line=error.lineno,
                problem=error.msg,
            )
        ) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(
            msg("The file is not valid JSON, or is nested too deeply.")
        ) from error
    _check_json_values(document)
    return document


def _reject_constant(name: str) -> None:
    raise ValueError(name)


def _check_json_values(document: Any) -> None:
    """Raise `InvalidInputError` for too many or too deeply nested values, or lone surrogates."""
    pending, count = [(document, 1)], 0
    while pending:
        value, depth = pending.pop()
        count += 1
        check_structure(depth, count)
        if isinstance(value, dict | list):
            parts = [*value, *value.values()] if isinstance(value, dict) else value
            pending += [(part, depth + 1) for part in parts]
        elif isinstance(value, str) and not is_storable(value):
            raise InvalidInputError(
                msg("The file is not text: it contains characters that cannot be shown.")
            )


def read_xml(data: bytes) -> Element:
    """The root of a document without a document type. Raises `InvalidInputError`."""
    text = _xml_text(data)
    try:
        # Given text instead of bytes, the parser ignores the declared encoding.
        root: Element = fromstring(text, forbid_dtd=True)
    except DefusedXmlException as error:
        raise InvalidInputError(
            msg("The file has a document type declaration or entities. Remove them and try again.")
        ) from error
    except ParseError as error:
        raise InvalidInputError(
            msg("The file is not valid XML: %(problem)s.", problem=error)
        ) from error
    pending, count = [(root, 1)], 0
    while pending:
        element, depth = pending.pop()
        count += 1
        check_structure(depth, 0)
        if count > MAX_ELEMENTS:
            raise InvalidInputError(
                msg(
                    "The file has too much data to be a list of projects. Split it into "
                    "smaller files."
                )
            )
        pending += [(child, depth + 1) for child in element]
    return root


def _xml_text(data: bytes) -> str:
    """XML as text. Pipeline's exports declare UTF-16 but are UTF-8, so the byte order mark decides
    between the two.
    """
    declared = XML_DECLARATION.match(data.removeprefix(codecs.BOM_UTF8))
    encoding = _normalise_encoding(declared[1].decode() if declared else "utf-8")
    try:
        if encoding in {"utf-8", "utf-16"} or data.startswith(UTF_16_MARKS):
            return decode_text(data)
        return data.decode(encoding)
    except (LookupError, UnicodeDecodeError) as error:
        raise InvalidInputError(
            msg("The file is not valid XML: its encoding is not recognised.")
        ) from error


def _normalise_encoding(name: str) -> str:
    """Python's name of one of `XML_ENCODINGS`; "" for any other encoding."""
    try:
        encoding = codecs.lookup(name).name
    except LookupError:
        return ""
    return encoding if encoding in XML_ENCODINGS else ""
