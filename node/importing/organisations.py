"""Whose the projects of a file are: those of our council are taken, those of others where somebody
asks for them. Pure.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from node.errors import InvalidInputError
from node.importing.found import Found
from node.wording import say

# Words that councils leave out of their names, or put in.
COMMON = frozenset(
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
class Owner:
    """An organisation that a file names, and its projects there."""

    name: str
    projects: Sequence[Found]


def is_same(name: str, other: str) -> bool:
    return _bare(name) == _bare(other)


def _bare(name: str) -> frozenset[str]:
    words = frozenset("".join(c if c.isalnum() else " " for c in name.casefold()).split())
    return words - COMMON or words


def owned(projects: Sequence[Found]) -> list[Found]:
    """`projects` of a file with one owner that it does not name: taken to be ours, with a note."""
    numbers = {each.organisation for each in projects}
    number = next(iter(numbers), "")
    if len(numbers) > 1 or not (number.isascii() and number.isdigit()):
        return list(projects)
    note = say(
        "organisation number %(number)s has no name: assumed to be your council", number=number
    )
    return [replace(each, organisation="", notes=(*each.notes, note)) for each in projects]


def others(projects: Sequence[Found], wanted: Collection[str]) -> list[Owner]:
    """The organisations that a file names, but for those that are `wanted`, by their names."""
    by_name: dict[str, list[Found]] = {}
    for each in owned(projects):
        if not _is_of(each, wanted):
            by_name.setdefault(each.organisation, []).append(each)
    return [Owner(name, by_name[name]) for name in sorted(by_name)]


def chosen(projects: Sequence[Found], wanted: Collection[str]) -> list[Found]:
    """Those of the organisations that are `wanted`, and those of which the file does not say whose
    they are. Raises `InvalidInputError` where there are none.
    """
    found = [each for each in owned(projects) if _is_of(each, wanted)]
    if not found:
        names = [each.name for each in others(projects, wanted)]
        more = len(names) - 5
        raise InvalidInputError(
            say(
                "The file has no projects from %(wanted)s, only from %(names)s%(more)s.",
                wanted=", ".join(wanted),
                names=", ".join(names[:5]),
                more=say(" and %(count)s more", count=more) if more > 0 else "",
            )
        )
    return found


def _is_of(project: Found, wanted: Collection[str]) -> bool:
    return not project.organisation or any(is_same(project.organisation, name) for name in wanted)
