"""A project of ours as publiccode.yml (version 0.5), valid as the standard has it. Pure."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from node.errors import NotFoundError
from node.messages import msg
from node.projects.details import LinkKind, Output
from node.projects.models import Phase, Project

PUBLICCODE_VERSION = "0.5"
DEVELOPMENT_STATUS = {
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
MAX_LEN_SHORT, MIN_LEN_LONG, MAX_LEN_LONG = 150, 150, 10_000


def to_publiccode(project: Project) -> bytes:
    """Raises `NotFoundError` for a project without a repository and an SPDX licence, which the
    standard asks for.
    """
    details = project.details
    repository = _link(project, LinkKind.repository)
    licence = next((each.spdx for each in details.outputs if each.spdx), "")
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
        **_without_empty(landingURL=_link(project, LinkKind.website) or project.url),
        "platforms": [each for each in PLATFORMS if each in technologies] or ["web"],
        **_without_empty(categories=_categories(details.tags)),
        **_without_empty(usedBy=_users(project.outputs)),
        "developmentStatus": DEVELOPMENT_STATUS[project.phase],
        "softwareType": "standalone/other",
        "description": _descriptions(project),
        "legal": {"license": licence},
        "maintenance": {"type": "internal", "contacts": [_contact(project)]},
        "localisation": {
            "localisationReady": False,
            "availableLanguages": sorted({project.language, *project.translations}),
        },
        **_without_empty(dependsOn=_dependencies(project)),
    }
    written: bytes = yaml.safe_dump(
        document, allow_unicode=True, sort_keys=False, encoding="utf-8", width=100
    )
    return written


def _without_empty(**said: Any) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value}


def _categories(tags: Iterable[str]) -> list[str]:
    """Those tags that the standard knows, as it writes them. It allows no others."""
    written = ("-".join(tag.casefold().split()) for tag in tags)
    return [each for each in dict.fromkeys(written) if each in CATEGORIES]


def _link(project: Project, kind: LinkKind) -> str:
    return next((link.url for link in project.details.links if link.kind is kind), "")


def _users(outputs: tuple[Output, ...]) -> list[str]:
    return list(dict.fromkeys(each.name for output in outputs for each in output.adopters))


def _contact(project: Project) -> dict[str, str]:
    details = project.details
    return {
        "name": details.contact_name or project.council.name,
        **_without_empty(email=details.contact_email),
        "affiliation": project.council.name,
    }


def _dependencies(project: Project) -> dict[str, Any]:
    names = [each for each in project.details.technologies if each.casefold() not in PLATFORMS]
    return {"open": [{"name": each} for each in names]} if names else {}


def _descriptions(project: Project) -> dict[str, dict[str, Any]]:
    language = project.language
    found = {
        language: _description(project, language, project.title, project.summary, project.brief)
    }
    for tag, said in sorted(project.translations.items()):
        if said.get("summary"):
            title, brief = said.get("title") or project.title, said.get("brief", "")
            found[tag] = _description(project, tag, title, said["summary"], brief)
    return found


def _description(
    project: Project, language: str, title: str, summary: str, brief: str
) -> dict[str, Any]:
    """The standard wants a long description that is long: a short brief is added to."""
    long = brief or summary
    if len(long) < MIN_LEN_LONG:
        more = FILLER_TEXTS.get(language, FILLER_TEXTS["en"]).format(
            title=title, council=project.council.name, url=project.url
        )
        long = "\n\n".join(part for part in (brief or summary, more) if part)
    features = [each.title for each in project.details.outputs]
    features += [each.need for each in project.details.user_needs]
    return {
        "localisedName": title,
        "shortDescription": _truncate(summary, MAX_LEN_SHORT),
        "longDescription": _truncate(long, MAX_LEN_LONG),
        "features": [_truncate(each, 100) for each in features] or [_truncate(summary, 100)],
    }


def _truncate(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
