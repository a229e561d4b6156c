"""Who watched a project in the old Pipeline and who took part in it, as its exports say. Pure."""

import re
from collections.abc import Iterable, Iterator

from node.importing.found import Person, Sieve, Standing

# Of one project so many are kept.
MOST_PEOPLE = 200
# So much of what is said of one is looked at: a name, an address, how they stood.
LONGEST_LINE = 500
EMAIL = re.compile(r"[^\s<>()\[\]:;,\"]+@[^\s<>()\[\]:;,\"]+")
WORDS = {
    "watcher": Standing.watcher,
    "watching": Standing.watcher,
    "contributor": Standing.approved,
    "approved": Standing.approved,
    "true": Standing.approved,
    "pending": Standing.pending,
    "false": Standing.pending,
    "rejected": Standing.rejected,
}


def people(watchers: str, contributors: str, others: str) -> tuple[Person, ...]:
    """Those who watched, those who took part, and those of whom their lines say which they did."""
    found: dict[tuple[str, str], Person] = {}
    for text, standing in (
        (contributors, Standing.approved),
        (others, Standing.watcher),
        (watchers, Standing.watcher),
    ):
        for person in _read(text, standing):
            found.setdefault((person.name.casefold(), person.email), person)
    return tuple(found.values())[:MOST_PEOPLE]


def contributor(found: Iterable[Person]) -> str:
    """The name of the first who was let in, of a file that names no other contact."""
    return next((each.name for each in found if each.standing is Standing.approved), "")


def _read(text: str, standing: Standing) -> Iterator[Person]:
    """One on each line, or between commas or semicolons."""
    for said_of_one in re.split(r"[\n;,]", text)[: MOST_PEOPLE * 2]:
        sieve, line = Sieve(), said_of_one[:LONGEST_LINE]
        address = EMAIL.search(line)
        email = sieve.email("email", address[0]).lower() if address else ""
        said = (line.replace(address[0], " ") if address else line).split()
        marks = [each.strip("():.-–<>").casefold() for each in said]
        words = [word for word, mark in zip(said, marks, strict=True) if mark and mark not in WORDS]
        name = sieve.line("name", " ".join(words).strip("<>()[]:- "))
        if name or email:
            yield Person(name, email, _standing(marks, standing))


def _standing(marks: Iterable[str], standing: Standing) -> Standing:
    """The last that is said: somebody is a contributor, and pending."""
    said = [WORDS[mark] for mark in marks if mark in WORDS]
    return next(
        (each for each in said if each is Standing.rejected), said[-1] if said else standing
    )
