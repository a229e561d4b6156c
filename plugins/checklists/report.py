"""Builds the report of a run for a viewer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from node import api
from node.api import Work
from plugins.checklists import answers, assessments
from plugins.checklists.access import VisibleAssessment
from plugins.checklists.answers import Evidence
from plugins.checklists.definitions.checklist import (
    NEGATIVE_ANSWERS,
    Advice,
    Checklist,
    ChecklistSection,
    Question,
)
from plugins.checklists.progress import AssessmentProgress


@dataclass(frozen=True)
class ReportEntry:
    """One question with its answer and action."""

    question: Question
    answer: str = ""
    note: str = ""
    evidence: Sequence[Evidence] = ()
    action: str = ""
    plan: str = ""
    owner: str = ""
    due_on: date | None = None

    @property
    def needs_recommendation(self) -> bool:
        """Whether to show the recommendation: the answer is no or partly, and there is one."""
        return self.answer in NEGATIVE_ANSWERS and self.question.has_recommendation


@dataclass(frozen=True)
class AssessmentReport:
    """The report of a run, without sections that have no visible question. `includes_private`: it
    has notes, plans and names.
    """

    checklist: Checklist
    title: str
    council: str
    progress: AssessmentProgress
    sections: Sequence[tuple[ChecklistSection, Sequence[ReportEntry]]]
    advice: Sequence[Advice]
    began_at: datetime
    finished_at: datetime | None
    includes_private: bool


def build_report(
    work: Work, subject: VisibleAssessment, *, includes_private: bool
) -> AssessmentReport:
    """The report of a run: complete with `includes_private`, else without notes, plans, names and
    private links.
    """
    run, session = subject.assessment, work.session
    progress = assessments.get_progress(session, run)
    rows = answers.get_by_question(session, run)
    people = {person.id: person.name for person in api.people(work)} if includes_private else {}
    sections = []
    for part in progress.sections():
        entries = []
        for question in part.questions:
            entry, row = ReportEntry(question), rows.get(question.id)
            if row is not None:
                links = answers.parse_evidence(row)
                entry = ReportEntry(
                    question,
                    row.answer,
                    evidence=[link for link in links if includes_private or not link.is_private],
                )
            if row is not None and includes_private:
                owner = people.get(row.owner_id or 0, "")
                private_fields = {
                    "note": row.note,
                    "action": row.action,
                    "plan": row.plan,
                    "owner": owner,
                }
                entry = replace(entry, **private_fields, due_on=row.due_on)  # type: ignore[arg-type]
            entries.append(entry)
        if entries:
            sections.append((part.section, entries))
    return AssessmentReport(
        progress.checklist,
        subject.title,
        subject.council_name,
        progress,
        sections,
        [advice for advice in progress.checklist.advice if not advice.is_placeholder],
        run.began_at,
        run.finished_at,
        includes_private,
    )
