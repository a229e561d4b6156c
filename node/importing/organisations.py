"""Sorts the projects of a file by owning organisation. Our council's are imported, others' only
where the officer selects them. Pure.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from node.errors import InvalidInputError
from node.importing.parsed_project import ParsedProject
from node.messages import msg

# Words that are left out of the names of councils in some files and not in others.
IGNORED_WORDS = frozenset(
    [
        "council",
        "borough",
        "district",
        "city",
        "county",
        "metropolitan",
        "unitary",
        "authority",
        "royal",
        "london",
        "of",
        "the",
        "and",
        "corporation",
        "cyngor",
        "sir",
    ]
)


@dataclass(frozen=True)
class OwningOrganisation:
    """An organisation named in a file, and its projects in the file."""

    name: str
    projects: Sequence[ParsedProject]


def is_same_name(name: str, other: str) -> bool:
    return _significant_words(name) == _significant_words(other)


def _significant_words(name: str) -> frozenset[str]:
    words = frozenset("".join(c if c.isalnum() else " " for c in name.casefold()).split())
    return words - IGNORED_WORDS or words


def assume_single_owner(projects: Sequence[ParsedProject]) -> list[ParsedProject]:
    """The projects, taken to be ours and noted so if the file only gives one owner's number."""
    numbers = {project.organisation for project in projects}
    number = next(iter(numbers), "")
    if len(numbers) > 1 or not (number.isascii() and number.isdigit()):
        return list(projects)
    note = msg(
        "organisation number %(number)s has no name: assumed to be your council", number=number
    )
    return [replace(project, organisation="", notes=(*project.notes, note)) for project in projects]


def list_others(
    projects: Sequence[ParsedProject], selected: Collection[str]
) -> list[OwningOrganisation]:
    """The organisations in a file other than the `selected` ones, by name."""
    by_name: dict[str, list[ParsedProject]] = {}
    for project in assume_single_owner(projects):
        if not _belongs_to(project, selected):
            by_name.setdefault(project.organisation, []).append(project)
    return [OwningOrganisation(name, by_name[name]) for name in sorted(by_name)]


def select_of(projects: Sequence[ParsedProject], selected: Collection[str]) -> list[ParsedProject]:
    """The projects of the `selected` organisations, and those without an organisation.

    Raises `InvalidInputError` if there are none.
    """
    selection = [
        project for project in assume_single_owner(projects) if _belongs_to(project, selected)
    ]
    if not selection:
        names = [owner.name for owner in list_others(projects, selected)]
        more = len(names) - 5
        raise InvalidInputError(
            msg(
                "The file has no projects from %(wanted)s, only from %(names)s%(more)s.",
                wanted=", ".join(selected),
                names=", ".join(names[:5]),
                more=msg(" and %(count)s more", count=more) if more > 0 else "",
            )
        )
    return selection


def _belongs_to(project: ParsedProject, selected: Collection[str]) -> bool:
    return not project.organisation or any(
        is_same_name(project.organisation, name) for name in selected
    )
