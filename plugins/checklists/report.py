"""A run as a report: everything that was answered, for whoever may read it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from node import api
from node.api import Work
from plugins.checklists import answers, runs
from plugins.checklists.access import Subject
from plugins.checklists.answers import Evidence
from plugins.checklists.definitions.model import WANTING, Advice, Checklist, Question, Section
from plugins.checklists.progress import Progress


@dataclass(frozen=True)
class Entry:
    """One question with its answer, and what is to be done about it."""

    question: Question
    answer: str = ""
    note: str = ""
    evidence: Sequence[Evidence] = ()
    action: str = ""
    plan: str = ""
    owner: str = ""
    due_on: date | None = None

    @property
    def is_wanting(self) -> bool:
        """Whether what is recommended is of use."""
        return self.answer in WANTING and bool(self.question.recommendation.en)


@dataclass(frozen=True)
class Report:
    """`sections` has those of which something is asked; `is_whole`: what only our council sees is
    in it.
    """

    checklist: Checklist
    title: str
    council: str
    progress: Progress
    sections: Sequence[tuple[Section, Sequence[Entry]]]
    advice: Sequence[Advice]
    began_at: datetime
    finished_at: datetime | None
    is_whole: bool


def of_run(work: Work, subject: Subject, *, is_whole: bool) -> Report:
    """For those who may answer `is_whole`; for others without notes, plans and names."""
    run, session = subject.run, work.session
    progress = runs.progress(session, run)
    rows = answers.of_run(session, run)
    people = {person.id: person.name for person in api.people(work)} if is_whole else {}
    sections = []
    for part in progress.parts():
        entries = []
        for question in part.questions:
            entry, row = Entry(question), rows.get(question.id)
            if row is not None:
                every = answers.evidence(row)
                entry = Entry(
                    question,
                    row.answer,
                    evidence=[each for each in every if is_whole or not each.is_private],
                )
            if row is not None and is_whole:
                owner = people.get(row.owner_id or 0, "")
                whole = {"note": row.note, "action": row.action, "plan": row.plan, "owner": owner}
                entry = replace(entry, **whole, due_on=row.due_on)  # type: ignore[arg-type]
            entries.append(entry)
        if entries:
            sections.append((part.section, entries))
    return Report(
        progress.checklist,
        subject.title,
        subject.council_name,
        progress,
        sections,
        progress.checklist.advice,
        run.began_at,
        run.finished_at,
        is_whole,
    )
