"""The Markdown of a project as HTML."""

from collections.abc import Mapping
from dataclasses import dataclass

from node import markup
from node.projects.federate import to_markdown
from node.projects.validation import ProjectInput, brief_details, validate


@dataclass(frozen=True)
class RenderedProject:
    """The HTML of a brief, and what stands in other languages with the HTML of each."""

    content: str
    translations: dict[str, dict[str, str]]


def prerender(text: ProjectInput) -> None:
    """Render what a transaction is about to write, before it begins: `node.markup` renders nothing
    a second time. Raises `InvalidInputError` with every field that is wrong.
    """
    render(validate(text))


def render(text: ProjectInput) -> RenderedProject:
    """All that is checked and is about to be written. Whoever writes more than one at once renders
    all before the transaction begins, and hands them on.
    """
    content = markup.render_markdown(to_markdown(text.brief, text.details, text.language))
    return RenderedProject(
        content, {tag: _render_translation(tag, part) for tag, part in text.translations.items()}
    )


def _render_translation(tag: str, parts: Mapping[str, str]) -> dict[str, str]:
    source = to_markdown(parts.get("brief", ""), brief_details(parts), tag)
    return {**parts, "content": markup.render_markdown(source)}
