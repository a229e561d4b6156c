"""Who watched a project in the old Pipeline and who took part in it, as its exports say. Pure."""

import re
from collections.abc import Iterable, Iterator

from node.importing.parsed_project import FieldCleaner, Participant, Participation

# Of one project so many are kept.
MAX_PEOPLE = 200
# So much of what is said of one is looked at: a name, an address, how they stood.
MAX_LEN_LINE = 500
EMAIL = re.compile(r"[^\s<>()\[\]:;,\"]+@[^\s<>()\[\]:;,\"]+")
PARTICIPATION_WORDS = {
    "watcher": Participation.watcher,
    "watching": Participation.watcher,
    "contributor": Participation.approved,
    "approved": Participation.approved,
    "true": Participation.approved,
    "pending": Participation.pending,
    "false": Participation.pending,
    "rejected": Participation.rejected,
}


def parse_participants(watchers: str, contributors: str, others: str) -> tuple[Participant, ...]:
    """Those who watched, those who took part, and those of whom their lines say which they did."""
    found: dict[tuple[str, str], Participant] = {}
    for text, standing in (
        (contributors, Participation.approved),
        (others, Participation.watcher),
        (watchers, Participation.watcher),
    ):
        for person in _parse(text, standing):
            found.setdefault((person.name.casefold(), person.email), person)
    return tuple(found.values())[:MAX_PEOPLE]


def first_contributor(found: Iterable[Participant]) -> str:
    """The name of the first who was let in, of a file that names no other contact."""
    return next((each.name for each in found if each.standing is Participation.approved), "")


def _parse(text: str, standing: Participation) -> Iterator[Participant]:
    """One on each line, or between commas or semicolons."""
    for said_of_one in re.split(r"[\n;,]", text)[: MAX_PEOPLE * 2]:
        sieve, line = FieldCleaner(), said_of_one[:MAX_LEN_LINE]
        address = EMAIL.search(line)
        email = sieve.email("email", address[0]).lower() if address else ""
        said = (line.replace(address[0], " ") if address else line).split()
        marks = [each.strip("():.-–<>").casefold() for each in said]
        words = [
            word
            for word, mark in zip(said, marks, strict=True)
            if mark and mark not in PARTICIPATION_WORDS
        ]
        name = sieve.line("name", " ".join(words).strip("<>()[]:- "))
        if name or email:
            yield Participant(name, email, _participation(marks, standing))


def _participation(marks: Iterable[str], standing: Participation) -> Participation:
    """The last that is said: somebody is a contributor, and pending."""
    said = [PARTICIPATION_WORDS[mark] for mark in marks if mark in PARTICIPATION_WORDS]
    return next(
        (each for each in said if each is Participation.rejected), said[-1] if said else standing
    )
