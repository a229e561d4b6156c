"""YAML, JSON and XML of anybody as plain lists, mappings and texts, within limits. Pure."""

import json
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import yaml
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from node.errors import InvalidInputError
from node.wording import say

DEEPEST = 20
MOST_NODES = 20_000


def text_of(data: bytes) -> str:
    """Bytes as UTF-8 text. Raises `InvalidInputError`."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            say("It is not UTF-8 text: byte %(place)s cannot be read.", place=error.start + 1)
        ) from error
    if "\0" in text:
        raise InvalidInputError(say("It is not text: it has a NUL character."))
    return text


def read_yaml(text: str) -> Any:
    """Every value as the text it is written in: no numbers, dates or yes and no are guessed.

    Aliases are refused, since a few of them can stand for a great deal. Raises `InvalidInputError`.
    """
    try:
        _check_yaml(yaml.parse(text, yaml.BaseLoader))
        return yaml.load(text, yaml.BaseLoader)  # noqa: S506 -- it makes texts and nothing else
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise InvalidInputError(
            say(
                "It is not valid YAML: line %(line)s: %(problem)s.",
                line=mark.line + 1 if mark else 1,
                problem=error.problem or say("something is wrong"),
            )
        ) from error
    except yaml.YAMLError as error:
        raise InvalidInputError(
            say("It is not valid YAML: it has characters that are not allowed.")
        ) from error


def _check_yaml(events: Iterator[Any]) -> None:
    depth = 0
    for count, event in enumerate(events):
        if isinstance(event, yaml.AliasEvent):
            raise InvalidInputError(say("It uses YAML aliases (*), which are not read."))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        _check_size(depth, count)


def read_json(text: str) -> Any:
    """Raises `InvalidInputError` for what is not JSON, saying where."""
    try:
        found = json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise InvalidInputError(
            say(
                "It is not valid JSON: line %(line)s: %(problem)s.",
                line=error.lineno,
                problem=error.msg,
            )
        ) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(say("It is not valid JSON, or nested too deeply.")) from error
    waiting, count = [(found, 1)], 0
    while waiting:
        one, depth = waiting.pop()
        count += 1
        _check_size(depth, count)
        if isinstance(one, dict | list):
            parts = one.values() if isinstance(one, dict) else one
            waiting += [(part, depth + 1) for part in parts]
    return found


def _refuse(name: str) -> None:
    raise ValueError(name)


def read_xml(data: bytes) -> Element:
    """The root of a document without a document type. Raises `InvalidInputError`."""
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise InvalidInputError(
            say("It has a document type or entities, which are not read.")
        ) from error
    except ParseError as error:
        raise InvalidInputError(say("It is not valid XML: %(problem)s.", problem=error)) from error
    except (ValueError, LookupError) as error:  # an encoding that it names and nobody knows
        raise InvalidInputError(say("It is not valid XML: its encoding is not known.")) from error
    waiting = [(root, 1)]
    while waiting:
        one, depth = waiting.pop()
        _check_size(depth, 0)
        waiting += [(part, depth + 1) for part in one]
    return root


def _check_size(depth: int, count: int) -> None:
    if depth > DEEPEST:
        raise InvalidInputError(say("It is nested too deeply."))
    if count > MOST_NODES:
        raise InvalidInputError(say("It holds too much for the description of projects."))
