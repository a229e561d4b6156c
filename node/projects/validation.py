"""The input for a project as a person enters it, and its validation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from email_validator import EmailNotValidError, validate_email

from node.access.visibility import Visibility
from node.errors import InvalidInputError
from node.messages import Message, msg
from node.projects.details import (
    BRIEF_FIELDS,
    MAX_ITEMS,
    MAX_NUMBER,
    Details,
    is_multiline,
    is_web_url,
    max_length,
)
from node.projects.models import Phase, Project, new_token
from node.text import find_text_error, trim

MAX_LENGTHS = {"title": 150, "summary": 200, "brief": 50_000}
# Fields that hold text of several lines.
MULTILINE_FIELDS = frozenset([*BRIEF_FIELDS, "brief"])
# The languages in which councils of the UK write.
TEXT_LANGUAGES = ("en", "cy")
# Fields that are filled in without the user entering anything.
NON_CONTENT_FIELDS = {"kind", "evidence_kind", "token"}
# Fields that can be translated.
TRANSLATED_FIELDS = ("title", "summary", *BRIEF_FIELDS, "brief")


@dataclass(frozen=True)
class ProjectInput:
    """The fields of a project that a person can edit. `brief` is Markdown.

    `visibility` is public, peers or private; `language` is that of the text, en or cy.
    `translations` holds `TRANSLATED_FIELDS` by language.
    """

    title: str
    summary: str
    phase: str
    brief: str
    visibility: str = Visibility.public.value
    language: str = TEXT_LANGUAGES[0]
    details: Details = field(default_factory=Details)
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def to_input(project: Project) -> ProjectInput:
    """The present values of a local project."""
    return ProjectInput(
        project.title,
        project.summary,
        project.phase.value,
        project.brief,
        project.visibility.value,
        project.language,
        project.details,
        {
            tag: {name: translation[name] for name in TRANSLATED_FIELDS if translation.get(name)}
            for tag, translation in project.translations.items()
        },
    )


def brief_details(translation: Mapping[str, str]) -> Details:
    """`Details` with the headings of a translated brief."""
    headings: dict[str, Any] = {name: translation.get(name, "") for name in BRIEF_FIELDS}
    return Details(**headings)


def validate(project_input: ProjectInput) -> ProjectInput:
    """`project_input`, trimmed. Raises `InvalidInputError` with every field that is not valid.

    List entries are named by their index: `links-0-url` is the address of the first link.
    """
    trimmed = replace(
        project_input,
        title=trim(project_input.title),
        summary=trim(project_input.summary),
        phase=project_input.phase.strip(),
        brief=trim(project_input.brief),
        visibility=project_input.visibility.strip(),
        language=project_input.language.strip(),
        details=_clean_details(project_input.details),
        translations=_clean_translations(project_input),
    )
    errors: dict[str, Message] = {}
    if not trimmed.title:
        errors["title"] = msg("Enter the name of the project")
    if not trimmed.summary:
        errors["summary"] = msg("Enter a summary of what the project is for")
    if trimmed.phase not in list(Phase):
        errors["phase"] = msg("Select a phase")
    if trimmed.visibility not in list(Visibility):
        errors["visibility"] = msg("Select who can see the project")
    if trimmed.language not in TEXT_LANGUAGES:
        errors["language"] = msg("Select the language of the text")
    for name, max_chars in MAX_LENGTHS.items():
        errors |= _text_error(
            name, getattr(trimmed, name), max_chars, lines=name in MULTILINE_FIELDS
        )
    for tag, translation in trimmed.translations.items():
        for name, value in translation.items():
            max_chars, is_prose = MAX_LENGTHS.get(name, 10_000), name in MULTILINE_FIELDS
            errors |= _text_error(f"{tag}-{name}", value, max_chars, lines=is_prose)
    errors |= dict(_field_errors(trimmed.details, ""))
    errors |= _cross_field_errors(trimmed.details)
    if errors:
        raise InvalidInputError(msg("The project could not be saved."), errors)
    return trimmed


def _text_error(
    name: str, value: str, max_chars: int, *, lines: bool = False
) -> dict[str, Message]:
    error = find_text_error(value, max_chars, lines=lines)
    return {name: error} if error else {}


def _field_errors(instance: Any, prefix: str) -> Iterator[tuple[str, Message]]:
    """The errors in the fields of a dataclass of `node.projects.details`; names begin with
    `prefix`.
    """
    for item in fields(instance):
        value, name = getattr(instance, item.name), f"{prefix}{item.name}"
        if isinstance(value, str) and item.name.endswith(("url", "uri")) and value:
            if not is_web_url(value):
                yield name, msg("Enter a web address, like https://www.example.gov.uk")
        elif isinstance(value, str) and not isinstance(value, StrEnum):
            yield from _text_error(name, value, max_length(item), lines=is_multiline(item)).items()
        elif isinstance(value, tuple):
            if len(value) > MAX_ITEMS:
                yield (
                    name,
                    msg(
                        "Enter %(most)s or fewer. You have entered %(number)s.",
                        most=MAX_ITEMS,
                        number=len(value),
                    ),
                )
            for index, entry in enumerate(value):
                if isinstance(entry, str):
                    yield from _text_error(name, entry, max_length(item)).items()
                else:
                    yield from _field_errors(entry, f"{name}-{index}-")


def _cross_field_errors(details: Details) -> dict[str, Message]:
    errors: dict[str, Message] = {}
    if details.starts_on and details.ends_on and details.ends_on < details.starts_on:
        errors["ends_on"] = msg("End date must be the same as or after the start date")
    if details.contact_email and not _is_email(details.contact_email):
        errors["contact_email"] = msg(
            "Enter an email address in the correct format, like name@example.gov.uk"
        )
    if details.lgsl is not None and not 0 < details.lgsl <= MAX_NUMBER:
        errors["lgsl"] = msg("Enter a service number, like 567")
    return errors | _entry_errors(details)


def _entry_errors(details: Details) -> dict[str, Message]:
    errors: dict[str, Message] = {}
    for index, link in enumerate(details.links):
        if not link.url:
            errors[f"links-{index}-url"] = msg("Enter the address of the link")
    for index, need in enumerate(details.user_needs):
        if not need.need:
            errors[f"user_needs-{index}-need"] = msg("Enter what the user needs")
    for index, related in enumerate(details.related):
        if not related.uri:
            errors[f"related-{index}-uri"] = msg("Enter the address of the other project")
        elif related.kind is None:
            errors[f"related-{index}-kind"] = msg("Select how the projects are related")
    for index, output in enumerate(details.outputs):
        if not output.title:
            errors[f"outputs-{index}-title"] = msg("Enter what other councils can reuse")
    return errors


def _is_email(text: str) -> bool:
    try:
        validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


def _clean_details(details: Details) -> Details:
    """The details trimmed and without empty entries. New outputs get a token."""
    trimmed: Details = _strip(details)
    outputs = tuple(
        output if output.token else replace(output, token=new_token()) for output in trimmed.outputs
    )
    return replace(trimmed, outputs=outputs)


def _strip(instance: Any) -> Any:
    values: dict[str, Any] = {}
    for item in fields(instance):
        value = getattr(instance, item.name)
        if isinstance(value, str) and not isinstance(value, StrEnum):
            value = trim(value)
        elif isinstance(value, tuple):
            entries = (trim(entry) if isinstance(entry, str) else _strip(entry) for entry in value)
            value = tuple(entry for entry in entries if entry and not _has_no_content(entry))
        values[item.name] = value
    return type(instance)(**values)


def is_empty(entry: Any) -> bool:
    """Whether an entry of a list has no content, and is left out of what is saved."""
    return _has_no_content(_strip(entry))


def _has_no_content(entry: Any) -> bool:
    """Whether nothing was entered in a trimmed entry; a kind selected in a list is not content."""
    return not isinstance(entry, str) and not any(
        getattr(entry, item.name) for item in fields(entry) if item.name not in NON_CONTENT_FIELDS
    )


def _clean_translations(project_input: ProjectInput) -> dict[str, dict[str, str]]:
    return {
        tag: cleaned
        for tag, translation in project_input.translations.items()
        if tag in TEXT_LANGUAGES and tag != project_input.language
        if (
            cleaned := {
                name: value
                for name in TRANSLATED_FIELDS
                if (value := trim(translation.get(name, "")))
            }
        )
    }
