"""Whose the projects of a file are: those of our council are taken, those of others where somebody
asks for them. Pure.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from node.errors import InvalidInputError
from node.importing.parsed_project import ParsedProject
from node.messages import msg

# Words that councils leave out of their names, or put in.
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
    """An organisation that a file names, and its projects there."""

    name: str
    projects: Sequence[ParsedProject]


def is_same_name(name: str, other: str) -> bool:
    return _significant_words(name) == _significant_words(other)


def _significant_words(name: str) -> frozenset[str]:
    words = frozenset("".join(c if c.isalnum() else " " for c in name.casefold()).split())
    return words - IGNORED_WORDS or words


def assume_single_owner(projects: Sequence[ParsedProject]) -> list[ParsedProject]:
    """`projects` of a file with one owner that it does not name: taken to be ours, with a note."""
    numbers = {each.organisation for each in projects}
    number = next(iter(numbers), "")
    if len(numbers) > 1 or not (number.isascii() and number.isdigit()):
        return list(projects)
    note = msg(
        "organisation number %(number)s has no name: assumed to be your council", number=number
    )
    return [replace(each, organisation="", notes=(*each.notes, note)) for each in projects]


def list_others(
    projects: Sequence[ParsedProject], wanted: Collection[str]
) -> list[OwningOrganisation]:
    """The organisations that a file names, but for those that are `wanted`, by their names."""
    by_name: dict[str, list[ParsedProject]] = {}
    for each in assume_single_owner(projects):
        if not _belongs_to(each, wanted):
            by_name.setdefault(each.organisation, []).append(each)
    return [OwningOrganisation(name, by_name[name]) for name in sorted(by_name)]


def select_of(projects: Sequence[ParsedProject], wanted: Collection[str]) -> list[ParsedProject]:
    """Those of the organisations that are `wanted`, and those of which the file does not say whose
    they are. Raises `InvalidInputError` where there are none.
    """
    found = [each for each in assume_single_owner(projects) if _belongs_to(each, wanted)]
    if not found:
        names = [each.name for each in list_others(projects, wanted)]
        more = len(names) - 5
        raise InvalidInputError(
            msg(
                "The file has no projects from %(wanted)s, only from %(names)s%(more)s.",
                wanted=", ".join(wanted),
                names=", ".join(names[:5]),
                more=msg(" and %(count)s more", count=more) if more > 0 else "",
            )
        )
    return found


def _belongs_to(project: ParsedProject, wanted: Collection[str]) -> bool:
    return not project.organisation or any(
        is_same_name(project.organisation, name) for name in wanted
    )
