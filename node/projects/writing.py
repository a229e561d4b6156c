"""What a person writes of a project, and what must be right about it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from email_validator import EmailNotValidError, validate_email

from node.errors import InvalidInputError
from node.projects.details import (
    BRIEF,
    LARGEST_NUMBER,
    MOST,
    Details,
    has_lines,
    is_address,
    longest,
)
from node.projects.models import Phase, Project, Visibility, new_token
from node.text import misfit, trim
from node.wording import Saying, say

LONGEST = {"title": 150, "summary": 200, "brief": 50_000}
# English and Welsh: the languages in which councils of the UK write.
# Texts of several lines; the others are lines.
MULTILINE = frozenset([*BRIEF, "brief"])
LANGUAGES = ("en", "cy")
UNSAID = {"kind", "evidence_kind", "token"}
# What can be said in another language too.
TRANSLATED = ("title", "summary", *BRIEF, "brief")


@dataclass(frozen=True)
class Text:
    """What a person writes of a project. `brief` is Markdown.

    `visibility` is public, peers or private, `language` that of the text: en or cy. `translations`
    has the parts named in `TRANSLATED` by other languages.
    """

    title: str
    summary: str
    phase: str
    brief: str
    visibility: str = Visibility.public.value
    language: str = LANGUAGES[0]
    details: Details = field(default_factory=Details)
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def text_of(project: Project) -> Text:
    """A project of ours as it is written now."""
    return Text(
        project.title,
        project.summary,
        project.phase.value,
        project.brief,
        project.visibility.value,
        project.language,
        project.details,
        {
            tag: {name: said[name] for name in TRANSLATED if said.get(name)}
            for tag, said in project.translations.items()
        },
    )


def translated_details(said: Mapping[str, str]) -> Details:
    """The headings of a brief in another language."""
    headings: dict[str, Any] = {name: said.get(name, "") for name in BRIEF}
    return Details(**headings)


def check(text: Text) -> Text:
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
        details=_trimmed(text.details),
        translations=_translations(text),
    )
    wrong: dict[str, Saying] = {}
    if not trimmed.title:
        wrong["title"] = say("Enter the name of the project")
    if not trimmed.summary:
        wrong["summary"] = say("Enter a summary of what the project is for")
    if trimmed.phase not in list(Phase):
        wrong["phase"] = say("Select a phase")
    if trimmed.visibility not in list(Visibility):
        wrong["visibility"] = say("Select who can see the project")
    if trimmed.language not in LANGUAGES:
        wrong["language"] = say("Select the language of the text")
    for name, most in LONGEST.items():
        wrong |= _misfit(name, getattr(trimmed, name), most, lines=name in MULTILINE)
    for tag, said in trimmed.translations.items():
        for name, value in said.items():
            most, lines = LONGEST.get(name, 10_000), name in MULTILINE
            wrong |= _misfit(f"{tag}-{name}", value, most, lines=lines)
    wrong |= dict(_wrong(trimmed.details, ""))
    wrong |= _wrong_together(trimmed.details)
    if wrong:
        raise InvalidInputError(say("The project could not be saved."), wrong)
    return trimmed


def _misfit(name: str, value: str, most: int, *, lines: bool = False) -> dict[str, Saying]:
    why = misfit(value, most, lines=lines)
    return {name: why} if why else {}


def _wrong(thing: Any, before: str) -> Iterator[tuple[str, Saying]]:
    """What of the fields of a dataclass of `node.projects.details` is wrong, by its name."""
    for item in fields(thing):
        value, name = getattr(thing, item.name), f"{before}{item.name}"
        if isinstance(value, str) and item.name.endswith(("url", "uri")) and value:
            if not is_address(value):
                yield name, say("Enter a web address, like https://www.example.gov.uk")
        elif isinstance(value, str) and not isinstance(value, StrEnum):
            yield from _misfit(name, value, longest(item), lines=has_lines(item)).items()
        elif isinstance(value, tuple):
            if len(value) > MOST:
                yield (
                    name,
                    say(
                        "Enter %(most)s or fewer. You have entered %(number)s",
                        most=MOST,
                        number=len(value),
                    ),
                )
            for place, each in enumerate(value):
                if isinstance(each, str):
                    yield from _misfit(name, each, longest(item)).items()
                else:
                    yield from _wrong(each, f"{name}-{place}-")


def _wrong_together(said: Details) -> dict[str, Saying]:
    wrong: dict[str, Saying] = {}
    if said.starts_on and said.ends_on and said.ends_on < said.starts_on:
        wrong["ends_on"] = say("End date must be the same as or after the start date")
    if said.contact_email and not _is_email(said.contact_email):
        wrong["contact_email"] = say(
            "Enter an email address in the correct format, like name@example.gov.uk"
        )
    if said.lgsl is not None and not 0 < said.lgsl <= LARGEST_NUMBER:
        wrong["lgsl"] = say("Enter a service number, like 567")
    return wrong | _wrong_entries(said)


def _wrong_entries(said: Details) -> dict[str, Saying]:
    wrong: dict[str, Saying] = {}
    for place, link in enumerate(said.links):
        if not link.url:
            wrong[f"links-{place}-url"] = say("Enter the address of the link")
    for place, need in enumerate(said.user_needs):
        if not need.need:
            wrong[f"user_needs-{place}-need"] = say("Enter what the user needs")
    for place, related in enumerate(said.related):
        if not related.uri:
            wrong[f"related-{place}-uri"] = say("Enter the address of the other project")
        elif related.kind is None:
            wrong[f"related-{place}-kind"] = say("Select how the projects are related")
    for place, output in enumerate(said.outputs):
        if not output.title:
            wrong[f"outputs-{place}-title"] = say("Enter what other councils can reuse")
    return wrong


def _is_email(text: str) -> bool:
    try:
        validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


def _trimmed(said: Details) -> Details:
    """Without spaces around, and without what has nothing in it. Outputs get their names."""
    trimmed: Details = _stripped(said)
    outputs = tuple(
        each if each.token else replace(each, token=new_token()) for each in trimmed.outputs
    )
    return replace(trimmed, outputs=outputs)


def _stripped(thing: Any) -> Any:
    found: dict[str, Any] = {}
    for item in fields(thing):
        value = getattr(thing, item.name)
        if isinstance(value, str) and not isinstance(value, StrEnum):
            value = trim(value)
        elif isinstance(value, tuple):
            parts = (trim(each) if isinstance(each, str) else _stripped(each) for each in value)
            value = tuple(each for each in parts if each and not _says_nothing(each))
        found[item.name] = value
    return type(thing)(**found)


def is_empty(part: Any) -> bool:
    """Whether one of several says nothing, and is left out of what is saved."""
    return _says_nothing(_stripped(part))


def _says_nothing(part: Any) -> bool:
    """Whether nothing was entered in one of several: a kind alone, chosen in a list, is nothing."""
    return not isinstance(part, str) and not any(
        getattr(part, item.name) for item in fields(part) if item.name not in UNSAID
    )


def _translations(text: Text) -> dict[str, dict[str, str]]:
    return {
        tag: said
        for tag, given in text.translations.items()
        if tag in LANGUAGES and tag != text.language
        if (said := {name: value for name in TRANSLATED if (value := trim(given.get(name, "")))})
    }
