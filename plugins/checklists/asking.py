"""Asking a council that answered yes how it did it, and being asked."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node import api
from node.api import (
    ActivityView,
    InvalidInputError,
    NotFoundError,
    PersonView,
    Work,
    now,
    one_line,
    say,
    several_lines,
)
from plugins.checklists import runs
from plugins.checklists.federate import TYPE
from plugins.checklists.kinds import plain
from plugins.checklists.models import Asked, Run

ACTIVITY = "Offer"
OBJECT = "ChecklistQuestion"
LONGEST_WORDS, LONGEST_NAME, LONGEST_ADDRESS = 1_000, 200, 254
# From one council, so many in a day are kept, and so many of all are shown.
MOST_A_DAY, MOST = 20, 100
NOTICE = "checklists.asked"


def ask(work: Work, person: PersonView, document_id: str, question_id: str, words: str) -> None:
    """Send a question to whoever shares a run. Raises `InvalidInputError`."""
    document = api.document(work, document_id)
    if document.type != TYPE or document.is_local:
        raise NotFoundError(say("There is no such assessment."))
    text = plain(words, LONGEST_WORDS, "words")
    if not text:
        raise InvalidInputError(
            say("The question could not be sent."), {"words": say("Enter your question")}
        )
    api.send_activity(
        work,
        ACTIVITY,
        document.council.uri,
        {
            "type": OBJECT,
            "about": document.id,
            "question": question_id,
            "content": text,
            "name": person.name,
            "email": person.email,
        },
    )
    work.audit("ask", document.id, question=question_id)


def received(activity: ActivityView, work: Work) -> bool:
    """Keep a question about a run that ours shares, and tell the coordinators of it."""
    given = activity.document.get("object")
    if activity.council is None or not isinstance(given, dict) or given.get("type") != OBJECT:
        return False
    run = work.session.scalar(
        select(Run).where(Run.document_id == str(given.get("about")), Run.document_id != "")
    )
    words = _line(given.get("content"), LONGEST_WORDS, lines=True)
    name = _line(given.get("name"), LONGEST_NAME)
    email = _line(given.get("email"), LONGEST_ADDRESS)
    if run is None or not words or not name or "@" not in email or " " in email:
        return False
    question = runs.definition(work.session, run).by_id.get(str(given.get("question")))
    if question is None or _lately(work.session, activity.council.uri) >= MOST_A_DAY:
        return False
    asked = Asked(run_id=run.id, question=question.id, council_uri=activity.council.uri)
    asked.council_name, asked.words = activity.council.name, words
    asked.name, asked.email, asked.at = name, email, now()
    work.session.add(asked)
    work.session.flush()
    roles = ["coordinator", "operator"]
    api.tell(work, NOTICE, roles=roles, path="/checklists/asked", who=activity.council.name)
    return True


def every(session: Session) -> Sequence[tuple[Asked, Run]]:
    """Newest first."""
    query = select(Asked, Run).join(Run, Run.id == Asked.run_id).order_by(Asked.id.desc())
    return [(asked, run) for asked, run in session.execute(query.limit(MOST))]


def _lately(session: Session, council_uri: str) -> int:
    since = Asked.at > now() - timedelta(days=1)
    query = select(func.count()).where(Asked.council_uri == council_uri, since)
    return session.scalar(query) or 0


def _line(given: Any, most: int, *, lines: bool = False) -> str:
    """A plain text that somebody sent, or nothing."""
    if not isinstance(given, str) or len(given) > most:
        return ""
    return (several_lines if lines else one_line)(given, most)
