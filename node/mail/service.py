"""Sending e-mails: kept in the transaction of what they are about, and sent after its commit."""

import random
import secrets
from datetime import timedelta
from functools import partial

import structlog
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select

from federation.retry import decide
from node.db import now
from node.errors import ConflictError, InvalidInputError, MoothallError, NotFoundError
from node.federating import queues
from node.mail.console import Console
from node.mail.letters import Carrier, Letter, MailError
from node.mail.models import Mail
from node.mail.notify import Notify
from node.mail.smtp import Smtp
from node.outbound import Outbound
from node.pruning import prune as prune_rows
from node.pruning import prune_surplus
from node.runtime import Node, UnitOfWork
from node.settings import Settings
from node.text import one_line
from node.wording import say

log = structlog.get_logger(__name__)

LONGEST_SUBJECT = 200
# So many go at once.
AT_ONCE = 4
# Of a mail server that does not answer, so long.
PATIENCE = timedelta(days=2)
# What was sent or given up is kept so long, and at most so much of it.
KEPT = timedelta(days=30)
MOST_KEPT = 10_000
TOLD = (
    "reference",
    "recipient",
    "subject",
    "text",
    "html",
    "unsubscribe",
    "language",
    "created_at",
)


class NotTakenError(MoothallError):
    """Whoever carries e-mails did not take one."""

    code = "not-taken"


def carrier(settings: Settings, outbound: Outbound) -> Carrier:
    """The way by which e-mails go, as it is set."""
    if settings.mail == "smtp":
        return Smtp(settings)
    return Notify(settings, outbound) if settings.mail == "notify" else Console()


def send(
    work: UnitOfWork,
    recipient: str,
    subject: str,
    text: str,
    *,
    html: str = "",
    unsubscribe: str = "",
    language: str = "en",
) -> Mail:
    """Have an e-mail sent once this is committed."""
    mail = Mail(
        recipient=recipient,
        subject=one_line(subject, LONGEST_SUBJECT),
        text=text,
        html=html,
        unsubscribe=unsubscribe,
        language=language,
    )
    work.session.add(mail)
    work.session.flush()
    work.wake(Mail.JOB)
    return mail


def try_out(node: Node, recipient: str) -> None:
    """Send an e-mail at once, to see whether it is taken. Raises `NotTakenError` if it is not."""
    try:
        to = validate_email(recipient, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise InvalidInputError(say("That is not an email address.")) from error
    letter = Letter(
        reference=secrets.token_urlsafe(18),
        recipient=to,
        subject="An email from Moothall",
        text=f"{node.settings.base_url} can send emails.\n",
        html="",
        unsubscribe="",
        language="en",
        created_at=now(),
    )
    try:
        carrier(node.settings, node.outbound).carry(letter)
    except MailError as error:
        raise NotTakenError(
            say("The email was not accepted: %(answer)s", answer=error.words)
        ) from error


@queues.wakes_for_next(Mail)
def work_off(node: Node) -> None:
    """The job: send all that is due."""
    way = carrier(node.settings, node.outbound)
    queues.work_off(node, Mail, partial(_attempt, node, way), at_once=AT_ONCE)


def _attempt(node: Node, way: Carrier, leased: queues.Lease) -> None:
    with node.reading() as session:
        mail = session.get(Mail, leased.id)
        if mail is None or mail.state != Mail.WAITING:
            return
        letter = Letter(**{name: getattr(mail, name) for name in TOLD})
    error: MailError | None = None
    try:
        way.carry(letter)
    except MailError as raised:
        error = raised
        log.warning("an e-mail was not taken", mail=leased.id, why=raised.words)
    queues.record(node, Mail, lambda work: _record(work, leased, error))


def _record(work: UnitOfWork, leased: queues.Lease, error: MailError | None) -> None:
    mail = work.session.get(Mail, leased.id, with_for_update=True)
    if mail is None or mail.state != Mail.WAITING:
        return
    mail.leased_until = None
    mail.answer = error.words if error else ""
    if error and mail.due_at != leased.due_at:
        return
    mail.attempts += 1
    moment = now()
    after = None
    if error and not error.permanent:
        age = moment - mail.created_at
        after = decide(None, mail.attempts, age, None, random.random(), patience=PATIENCE).after  # noqa: S311
    if after is not None:
        mail.due_at = moment + after
        return
    mail.move_to("failed" if error else "sent")
    mail.finished_at = moment
    # What it said is for whoever got it.
    if not error:
        mail.text = mail.html = ""


def retry(work: UnitOfWork, mail_id: int) -> Mail:
    """The operator wants it tried again, now. Raises `ConflictError` for what was sent."""
    mail = work.session.get(Mail, mail_id, with_for_update=True)
    if mail is None:
        raise NotFoundError(say("There is no such email."))
    if mail.state == "sent":
        raise ConflictError(say("This email has already been sent."))
    if mail.state == "failed":
        mail.move_to(Mail.WAITING)
    mail.attempts, mail.finished_at = 0, None
    mail.created_at = mail.due_at = now()
    work.audit("mail.retry", mail.recipient, mail=mail.id)
    work.wake(Mail.JOB)
    return mail


def prune(node: Node) -> int:
    """Delete what was sent or given up long ago. Returns how many that were."""
    finished = select(Mail.id).where(Mail.state != Mail.WAITING)
    old = finished.where(Mail.finished_at < now() - KEPT)
    return prune_rows(node, Mail.JOB, Mail, old) + prune_surplus(
        node, Mail.JOB, Mail, finished, Mail.id, MOST_KEPT
    )
