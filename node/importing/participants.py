"""Parses the watchers and contributors of a project in exports of the old Pipeline. Pure."""

import re
from collections.abc import Iterable, Iterator

from node.importing.parsed_project import FieldCleaner, Participant, ParticipationStatus

# People recorded per project.
MAX_PEOPLE = 200
# Characters per person: name, email address and status.
MAX_LEN_LINE = 500
EMAIL_PATTERN = re.compile(r"[^\s<>()\[\]:;,\"]+@[^\s<>()\[\]:;,\"]+")
PARTICIPATION_WORDS = {
    "watcher": ParticipationStatus.watcher,
    "watching": ParticipationStatus.watcher,
    "contributor": ParticipationStatus.approved,
    "approved": ParticipationStatus.approved,
    "true": ParticipationStatus.approved,
    "pending": ParticipationStatus.pending,
    "false": ParticipationStatus.pending,
    "rejected": ParticipationStatus.rejected,
}


def parse_participants(watchers: str, contributors: str, others: str) -> tuple[Participant, ...]:
    """The people in three columns. Entries in `others` say themselves how the person took part;
    without a word for it, the person is a watcher.
    """
    people: dict[tuple[str, str], Participant] = {}
    for text, standing in (
        (contributors, ParticipationStatus.approved),
        (others, ParticipationStatus.watcher),
        (watchers, ParticipationStatus.watcher),
    ):
        for person in _parse_people(text, standing):
            people.setdefault((person.name.casefold(), person.email), person)
    return tuple(people.values())[:MAX_PEOPLE]


def first_contributor(people: Iterable[Participant]) -> str:
    """The name of the first approved contributor, as the contact if a file names none; else ""."""
    return next(
        (person.name for person in people if person.standing is ParticipationStatus.approved), ""
    )


def _parse_people(text: str, default: ParticipationStatus) -> Iterator[Participant]:
    """People on lines of their own, or separated by commas or semicolons."""
    for entry in re.split(r"[\n;,]", text)[: MAX_PEOPLE * 2]:
        cleaner, line = FieldCleaner(), entry[:MAX_LEN_LINE]
        address = EMAIL_PATTERN.search(line)
        email = cleaner.email("email", address[0]).lower() if address else ""
        words = (line.replace(address[0], " ") if address else line).split()
        keywords = [word.strip("():.-–<>").casefold() for word in words]
        name_words = [
            word
            for word, keyword in zip(words, keywords, strict=True)
            if keyword and keyword not in PARTICIPATION_WORDS
        ]
        name = cleaner.line("name", " ".join(name_words).strip("<>()[]:- "))
        if name or email:
            yield Participant(name, email, _parse_participation(keywords, default))


def _parse_participation(
    keywords: Iterable[str], default: ParticipationStatus
) -> ParticipationStatus:
    """How a person took part: rejected if any word says so, else by the last word, as in
    "contributor (pending)".
    """
    given = [PARTICIPATION_WORDS[word] for word in keywords if word in PARTICIPATION_WORDS]
    if ParticipationStatus.rejected in given:
        return ParticipationStatus.rejected
    return given[-1] if given else default
