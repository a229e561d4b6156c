"""Lists what a new version of a checklist changes, question by question."""

from dataclasses import dataclass

from plugins.checklists.definitions.checklist import Checklist, Question


@dataclass(frozen=True)
class QuestionChange:
    """One changed question. `kind` is added, removed, reworded (existing answers are kept), or
    answered-otherwise (existing answers may no longer fit).

    `question` is the newer version of it, `before` the older one.
    """

    kind: str
    question: Question
    before: Question | None = None


def list_changes(before: Checklist, after: Checklist) -> list[QuestionChange]:
    """The changes in the order of the new version; removed questions come last."""
    changes: list[QuestionChange] = []
    for question in after.questions:
        old = before.by_id.get(question.id)
        if old is None:
            changes.append(QuestionChange("added", question))
        elif (old.kind, old.answers) != (question.kind, question.answers):
            changes.append(QuestionChange("answered-otherwise", question, old))
        elif old != question:
            changes.append(QuestionChange("reworded", question, old))
    removed = (old for old in before.questions if old.id not in after.by_id)
    return changes + [QuestionChange("removed", old) for old in removed]
