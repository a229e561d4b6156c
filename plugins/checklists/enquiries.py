"""Questions between councils about a shared answer: sending one, and receiving one."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node import api
from node.api import (
    ActivityInfo,
    InvalidInputError,
    NotFoundError,
    PersonInfo,
    Work,
    msg,
    now,
    one_line,
    several_lines,
)
from plugins.checklists import assessments
from plugins.checklists.answer_types import clean_text
from plugins.checklists.federate import RESULT_TYPE
from plugins.checklists.models import Assessment, Enquiry

ACTIVITY = "Offer"
OBJECT_TYPE = "ChecklistQuestion"
# Characters.
MAX_LEN_ENQUIRY, MAX_LEN_NAME, MAX_LEN_EMAIL = 1_000, 200, 254
# Questions accepted from one council in 24 hours, and questions on the page.
MAX_PER_DAY, MAX_SHOWN = 20, 100
ENQUIRY_NOTIFICATION = "checklists.asked"


def send_enquiry(
    work: Work, person: PersonInfo, document_id: str, question_id: str, enquiry_text: str
) -> None:
    """Send a question to the council that shared a document. Raises `InvalidInputError` about
    `words`, and `NotFoundError`.
    """
    document = api.document(work, document_id)
    if document.type != RESULT_TYPE or document.is_local:
        raise NotFoundError(msg("Assessment not found."))
    text = clean_text(enquiry_text, MAX_LEN_ENQUIRY, "words")
    if not text:
        raise InvalidInputError(
            msg("The question could not be sent."), {"words": msg("Enter your question")}
        )
    api.send_activity(
        work,
        ACTIVITY,
        document.council.uri,
        {
            "type": OBJECT_TYPE,
            "about": document.id,
            "question": question_id,
            "content": text,
            "name": person.name,
            "email": person.email,
        },
    )
    work.audit("ask", document.id, question=question_id)


def receive_enquiry(activity: ActivityInfo, work: Work) -> bool:
    """Save a question about a run that our council shares, and notify the coordinators. Returns
    False if the activity is something else or is refused.
    """
    obj = activity.document.get("object")
    if activity.council is None or not isinstance(obj, dict) or obj.get("type") != OBJECT_TYPE:
        return False
    run = work.session.scalar(
        select(Assessment).where(
            Assessment.document_id == str(obj.get("about")), Assessment.document_id != ""
        )
    )
    words = _clean_text(obj.get("content"), MAX_LEN_ENQUIRY, lines=True)
    name = _clean_text(obj.get("name"), MAX_LEN_NAME)
    email = _clean_text(obj.get("email"), MAX_LEN_EMAIL)
    if run is None or not words or not name or "@" not in email or " " in email:
        return False
    question = assessments.get_definition(work.session, run).by_id.get(str(obj.get("question")))
    if question is None or _count_recent(work.session, activity.council.uri) >= MAX_PER_DAY:
        return False
    council_question = Enquiry(
        run_id=run.id, question=question.id, council_uri=activity.council.uri
    )
    council_question.council_name, council_question.words = activity.council.name, words
    council_question.name, council_question.email, council_question.at = name, email, now()
    work.session.add(council_question)
    work.session.flush()
    roles = ["coordinator", "operator"]
    api.notify(
        work, ENQUIRY_NOTIFICATION, roles=roles, path="/checklists/asked", who=activity.council.name
    )
    return True


def list_all(session: Session) -> Sequence[tuple[Enquiry, Assessment]]:
    """The questions received, newest first."""
    query = (
        select(Enquiry, Assessment)
        .join(Assessment, Assessment.id == Enquiry.run_id)
        .order_by(Enquiry.id.desc())
    )
    return [
        (council_question, run) for council_question, run in session.execute(query.limit(MAX_SHOWN))
    ]


def _count_recent(session: Session, council_uri: str) -> int:
    since = Enquiry.at > now() - timedelta(days=1)
    query = select(func.count()).where(Enquiry.council_uri == council_uri, since)
    return session.scalar(query) or 0


def _clean_text(value: Any, limit: int, *, lines: bool = False) -> str:
    """A plain text from another server; empty if it is missing, too long or not text."""
    if not isinstance(value, str) or len(value) > limit:
        return ""
    return (several_lines if lines else one_line)(value, limit)
