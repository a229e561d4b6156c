"""Renders the Markdown of a project as HTML."""

from collections.abc import Mapping
from dataclasses import dataclass

from node import markup
from node.projects.federate import to_markdown
from node.projects.validation import ProjectInput, brief_details, validate


@dataclass(frozen=True)
class RenderedProject:
    """The HTML of a brief, and the translations with the HTML of each."""

    content: str
    translations: dict[str, dict[str, str]]


def prerender(project_input: ProjectInput) -> None:
    """Render `text` before the transaction that writes it begins; `node.markup` caches the result.

    Raises `InvalidInputError` with every field that is not valid.
    """
    render(validate(project_input))


def render(project_input: ProjectInput) -> RenderedProject:
    """Render validated text. A caller that writes several projects in one transaction renders all
    of them beforehand and passes the results on.
    """
    content = markup.render_markdown(
        to_markdown(project_input.brief, project_input.details, project_input.language)
    )
    return RenderedProject(
        content,
        {tag: _render_translation(tag, part) for tag, part in project_input.translations.items()},
    )


def _render_translation(tag: str, parts: Mapping[str, str]) -> dict[str, str]:
    source = to_markdown(parts.get("brief", ""), brief_details(parts), tag)
    return {**parts, "content": markup.render_markdown(source)}
