"""What a new version of a checklist changes, question by question."""

from dataclasses import dataclass

from plugins.checklists.definitions.model import Checklist, Question


@dataclass(frozen=True)
class QuestionChange:
    """`kind` is added, removed, reworded (the answer stays), or answered-otherwise (an answer may
    no longer fit). `question` is as it is now, or as it last was, and `before` as it was.
    """

    kind: str
    question: Question
    before: Question | None = None


def list_changes(before: Checklist, after: Checklist) -> list[QuestionChange]:
    """In the order of the new version; what is gone comes last."""
    found: list[QuestionChange] = []
    for question in after.questions:
        old = before.by_id.get(question.id)
        if old is None:
            found.append(QuestionChange("added", question))
        elif (old.kind, old.answers) != (question.kind, question.answers):
            found.append(QuestionChange("answered-otherwise", question, old))
        elif old != question:
            found.append(QuestionChange("reworded", question, old))
    gone = (old for old in before.questions if old.id not in after.by_id)
    return found + [QuestionChange("removed", old) for old in gone]
