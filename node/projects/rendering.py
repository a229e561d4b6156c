"""The Markdown of a project as HTML."""

from collections.abc import Mapping
from dataclasses import dataclass

from node import markup
from node.projects.federate import to_markdown
from node.projects.writing import Text, check, translated_details


@dataclass(frozen=True)
class Rendered:
    """The HTML of a brief, and what stands in other languages with the HTML of each."""

    content: str
    translations: dict[str, dict[str, str]]


def prepare(text: Text) -> None:
    """Render what a transaction is about to write, before it begins: `node.markup` renders nothing
    a second time. Raises `InvalidInputError` with every field that is wrong.
    """
    render(check(text))


def render(text: Text) -> Rendered:
    """All that is checked and is about to be written. Whoever writes more than one at once renders
    all before the transaction begins, and hands them on.
    """
    content = markup.from_markdown(to_markdown(text.brief, text.details, text.language))
    return Rendered(
        content, {tag: _translated(tag, part) for tag, part in text.translations.items()}
    )


def _translated(tag: str, parts: Mapping[str, str]) -> dict[str, str]:
    source = to_markdown(parts.get("brief", ""), translated_details(parts), tag)
    return {**parts, "content": markup.from_markdown(source)}
