"""The Markdown of a project as HTML."""

from collections.abc import Mapping

from node import markup
from node.projects.federate import to_markdown
from node.projects.writing import Text, check, translated_details


def prepare(text: Text) -> None:
    """Render what a transaction is about to write, before it begins: `node.markup` renders nothing
    a second time. Raises `InvalidInputError` with every field that is wrong.
    """
    checked = check(text)
    content(checked)
    translated(checked)


def content(text: Text) -> str:
    """All of a brief."""
    return markup.from_markdown(to_markdown(text.brief, text.details, text.language))


def translated(text: Text) -> dict[str, dict[str, str]]:
    """What stands in other languages, with the HTML of each."""
    return {tag: {**said, "content": _in(tag, said)} for tag, said in text.translations.items()}


def _in(tag: str, said: Mapping[str, str]) -> str:
    source = to_markdown(said.get("brief", ""), translated_details(said), tag)
    return markup.from_markdown(source)
