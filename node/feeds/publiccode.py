"""Writes a project of ours as a valid publiccode.yml (version 0.5). Pure."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from node.errors import NotFoundError
from node.messages import msg
from node.projects.details import LinkKind, Output
from node.projects.models import Phase, Project

PUBLICCODE_VERSION = "0.5"
STATUS_BY_PHASE = {
    Phase.concept: "concept",
    Phase.discovery: "concept",
    Phase.alpha: "development",
    Phase.beta: "beta",
    Phase.live: "stable",
    Phase.retired: "obsolete",
}
CATEGORIES = frozenset(
    line
    for line in Path(__file__)
    .with_name("publiccode_categories.txt")
    .read_text(encoding="utf-8")
    .splitlines()
    if not line.startswith("#")
)
PLATFORMS = ("web", "windows", "mac", "linux", "ios", "android")
FILLER_TEXTS = {
    "en": "{title} is a digital project of {council}. What it is for, how far it has come, what is"
    " new in it and what other councils can take from it are described at {url}",
    "cy": "Prosiect digidol gan {council} yw {title}. Mae ei bwrpas, pa mor bell y mae wedi"
    " cyrraedd, beth sy’n newydd ynddo a’r hyn y gall cynghorau eraill ei gymryd ohono i’w gweld"
    " yn {url}",
}
MAX_LEN_SHORT_DESCRIPTION, MIN_LEN_LONG_DESCRIPTION, MAX_LEN_LONG_DESCRIPTION = 150, 150, 10_000


def to_publiccode(project: Project) -> bytes:
    """The publiccode.yml of a project. Raises `NotFoundError` unless the project has a repository
    and a licence with an SPDX identifier, which the standard requires.
    """
    details = project.details
    repository = _find_link(project, LinkKind.repository)
    licence = next((output.spdx for output in details.outputs if output.spdx), "")
    if not repository or not licence:
        raise NotFoundError(
            msg(
                "This project does not name a code repository, or none of its outputs "
                "has a licence with an SPDX identifier."
            )
        )
    technologies = {word.casefold() for word in details.technologies}
    document: dict[str, Any] = {
        "publiccodeYmlVersion": PUBLICCODE_VERSION,
        "name": project.title,
        "url": repository,
        **_without_empty(landingURL=_find_link(project, LinkKind.website) or project.url),
        "platforms": [name for name in PLATFORMS if name in technologies] or ["web"],
        **_without_empty(categories=_select_categories(details.tags)),
        **_without_empty(usedBy=_list_adopters(project.outputs)),
        "developmentStatus": STATUS_BY_PHASE[project.phase],
        "softwareType": "standalone/other",
        "description": _describe_in_languages(project),
        "legal": {"license": licence},
        "maintenance": {"type": "internal", "contacts": [_describe_contact(project)]},
        "localisation": {
            "localisationReady": False,
            "availableLanguages": sorted({project.language, *project.translations}),
        },
        **_without_empty(dependsOn=_describe_dependencies(project)),
    }
    data: bytes = yaml.safe_dump(
        document, allow_unicode=True, sort_keys=False, encoding="utf-8", width=100
    )
    return data


def _without_empty(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def _select_categories(tags: Iterable[str]) -> list[str]:
    """The tags that are categories of the standard, which allows no others."""
    names = ("-".join(tag.casefold().split()) for tag in tags)
    return [name for name in dict.fromkeys(names) if name in CATEGORIES]


def _find_link(project: Project, kind: LinkKind) -> str:
    return next((link.url for link in project.details.links if link.kind is kind), "")


def _list_adopters(outputs: tuple[Output, ...]) -> list[str]:
    return list(dict.fromkeys(adopter.name for output in outputs for adopter in output.adopters))


def _describe_contact(project: Project) -> dict[str, str]:
    details = project.details
    return {
        "name": details.contact_name or project.council.name,
        **_without_empty(email=details.contact_email),
        "affiliation": project.council.name,
    }


def _describe_dependencies(project: Project) -> dict[str, Any]:
    names = [name for name in project.details.technologies if name.casefold() not in PLATFORMS]
    return {"open": [{"name": name} for name in names]} if names else {}


def _describe_in_languages(project: Project) -> dict[str, dict[str, Any]]:
    language = project.language
    descriptions = {
        language: _describe_in_language(
            project, language, project.title, project.summary, project.brief
        )
    }
    for tag, translation in sorted(project.translations.items()):
        if translation.get("summary"):
            title, brief = translation.get("title") or project.title, translation.get("brief", "")
            descriptions[tag] = _describe_in_language(
                project, tag, title, translation["summary"], brief
            )
    return descriptions


def _describe_in_language(
    project: Project, language: str, title: str, summary: str, brief: str
) -> dict[str, Any]:
    """The description in one language. A filler text extends a short brief to the minimum length of
    the standard.
    """
    long = brief or summary
    if len(long) < MIN_LEN_LONG_DESCRIPTION:
        filler = FILLER_TEXTS.get(language, FILLER_TEXTS["en"]).format(
            title=title, council=project.council.name, url=project.url
        )
        long = "\n\n".join(part for part in (brief or summary, filler) if part)
    features = [output.title for output in project.details.outputs]
    features += [user_need.need for user_need in project.details.user_needs]
    return {
        "localisedName": title,
        "shortDescription": _truncate(summary, MAX_LEN_SHORT_DESCRIPTION),
        "longDescription": _truncate(long, MAX_LEN_LONG_DESCRIPTION),
        "features": [_truncate(feature, 100) for feature in features] or [_truncate(summary, 100)],
    }


def _truncate(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
