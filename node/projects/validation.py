"""What a person writes of a project, and what must be right about it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from email_validator import EmailNotValidError, validate_email

from node.errors import InvalidInputError
from node.messages import Message, msg
from node.projects.details import (
    BRIEF,
    MAX_ITEMS,
    MAX_NUMBER,
    Details,
    is_multiline,
    is_web_url,
    max_length,
)
from node.projects.models import Phase, Project, Visibility, new_token
from node.text import misfit, trim

MAX_LENGTHS = {"title": 150, "summary": 200, "brief": 50_000}
# English and Welsh: the languages in which councils of the UK write.
# Texts of several lines; the others are lines.
MULTILINE_FIELDS = frozenset([*BRIEF, "brief"])
TEXT_LANGUAGES = ("en", "cy")
NON_CONTENT_FIELDS = {"kind", "evidence_kind", "token"}
# What can be said in another language too.
TRANSLATED_FIELDS = ("title", "summary", *BRIEF, "brief")


@dataclass(frozen=True)
class ProjectInput:
    """What a person writes of a project. `brief` is Markdown.

    `visibility` is public, peers or private, `language` that of the text: en or cy. `translations`
    has the parts named in `TRANSLATED` by other languages.
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
    """A project of ours as it is written now."""
    return ProjectInput(
        project.title,
        project.summary,
        project.phase.value,
        project.brief,
        project.visibility.value,
        project.language,
        project.details,
        {
            tag: {name: said[name] for name in TRANSLATED_FIELDS if said.get(name)}
            for tag, said in project.translations.items()
        },
    )


def brief_details(said: Mapping[str, str]) -> Details:
    """The headings of a brief in another language."""
    headings: dict[str, Any] = {name: said.get(name, "") for name in BRIEF}
    return Details(**headings)


def validate(text: ProjectInput) -> ProjectInput:
    """`text` trimmed. Raises `InvalidInputError` with every field that is wrong.

    A part of several is named by its place: `links-0-url` is the address of the first link.
    """
    trimmed = replace(
        text,
        title=trim(text.title),
        summary=trim(text.summary),
        phase=text.phase.strip(),
        brief=trim(text.brief),
        visibility=text.visibility.strip(),
        language=text.language.strip(),
        details=_clean_details(text.details),
        translations=_clean_translations(text),
    )
    wrong: dict[str, Message] = {}
    if not trimmed.title:
        wrong["title"] = msg("Enter the name of the project")
    if not trimmed.summary:
        wrong["summary"] = msg("Enter a summary of what the project is for")
    if trimmed.phase not in list(Phase):
        wrong["phase"] = msg("Select a phase")
    if trimmed.visibility not in list(Visibility):
        wrong["visibility"] = msg("Select who can see the project")
    if trimmed.language not in TEXT_LANGUAGES:
        wrong["language"] = msg("Select the language of the text")
    for name, most in MAX_LENGTHS.items():
        wrong |= _text_error(name, getattr(trimmed, name), most, lines=name in MULTILINE_FIELDS)
    for tag, said in trimmed.translations.items():
        for name, value in said.items():
            most, lines = MAX_LENGTHS.get(name, 10_000), name in MULTILINE_FIELDS
            wrong |= _text_error(f"{tag}-{name}", value, most, lines=lines)
    wrong |= dict(_field_errors(trimmed.details, ""))
    wrong |= _cross_field_errors(trimmed.details)
    if wrong:
        raise InvalidInputError(msg("The project could not be saved."), wrong)
    return trimmed


def _text_error(name: str, value: str, most: int, *, lines: bool = False) -> dict[str, Message]:
    why = misfit(value, most, lines=lines)
    return {name: why} if why else {}


def _field_errors(thing: Any, before: str) -> Iterator[tuple[str, Message]]:
    """What of the fields of a dataclass of `node.projects.details` is wrong, by its name."""
    for item in fields(thing):
        value, name = getattr(thing, item.name), f"{before}{item.name}"
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
                        "Enter %(most)s or fewer. You have entered %(number)s",
                        most=MAX_ITEMS,
                        number=len(value),
                    ),
                )
            for place, each in enumerate(value):
                if isinstance(each, str):
                    yield from _text_error(name, each, max_length(item)).items()
                else:
                    yield from _field_errors(each, f"{name}-{place}-")


def _cross_field_errors(said: Details) -> dict[str, Message]:
    wrong: dict[str, Message] = {}
    if said.starts_on and said.ends_on and said.ends_on < said.starts_on:
        wrong["ends_on"] = msg("End date must be the same as or after the start date")
    if said.contact_email and not _is_email(said.contact_email):
        wrong["contact_email"] = msg(
            "Enter an email address in the correct format, like name@example.gov.uk"
        )
    if said.lgsl is not None and not 0 < said.lgsl <= MAX_NUMBER:
        wrong["lgsl"] = msg("Enter a service number, like 567")
    return wrong | _entry_errors(said)


def _entry_errors(said: Details) -> dict[str, Message]:
    wrong: dict[str, Message] = {}
    for place, link in enumerate(said.links):
        if not link.url:
            wrong[f"links-{place}-url"] = msg("Enter the address of the link")
    for place, need in enumerate(said.user_needs):
        if not need.need:
            wrong[f"user_needs-{place}-need"] = msg("Enter what the user needs")
    for place, related in enumerate(said.related):
        if not related.uri:
            wrong[f"related-{place}-uri"] = msg("Enter the address of the other project")
        elif related.kind is None:
            wrong[f"related-{place}-kind"] = msg("Select how the projects are related")
    for place, output in enumerate(said.outputs):
        if not output.title:
            wrong[f"outputs-{place}-title"] = msg("Enter what other councils can reuse")
    return wrong


def _is_email(text: str) -> bool:
    try:
        validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


def _clean_details(said: Details) -> Details:
    """Without spaces around, and without what has nothing in it. Outputs get their names."""
    trimmed: Details = _strip(said)
    outputs = tuple(
        each if each.token else replace(each, token=new_token()) for each in trimmed.outputs
    )
    return replace(trimmed, outputs=outputs)


def _strip(thing: Any) -> Any:
    found: dict[str, Any] = {}
    for item in fields(thing):
        value = getattr(thing, item.name)
        if isinstance(value, str) and not isinstance(value, StrEnum):
            value = trim(value)
        elif isinstance(value, tuple):
            parts = (trim(each) if isinstance(each, str) else _strip(each) for each in value)
            value = tuple(each for each in parts if each and not _has_no_content(each))
        found[item.name] = value
    return type(thing)(**found)


def is_empty(part: Any) -> bool:
    """Whether one of several says nothing, and is left out of what is saved."""
    return _has_no_content(_strip(part))


def _has_no_content(part: Any) -> bool:
    """Whether nothing was entered in one of several: a kind alone, chosen in a list, is nothing."""
    return not isinstance(part, str) and not any(
        getattr(part, item.name) for item in fields(part) if item.name not in NON_CONTENT_FIELDS
    )


def _clean_translations(text: ProjectInput) -> dict[str, dict[str, str]]:
    return {
        tag: said
        for tag, given in text.translations.items()
        if tag in TEXT_LANGUAGES and tag != text.language
        if (
            said := {
                name: value for name in TRANSLATED_FIELDS if (value := trim(given.get(name, "")))
            }
        )
    }
