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
from node.mail.console import ConsoleTransport
from node.mail.models import Mail
from node.mail.notify import NotifyTransport
from node.mail.smtp import SmtpTransport
from node.mail.transport import MailError, MailTransport, OutgoingEmail
from node.messages import msg
from node.outbound import Outbound
from node.pruning import prune as prune_rows
from node.pruning import prune_surplus
from node.runtime import Node, UnitOfWork
from node.settings import Settings
from node.text import one_line

log = structlog.get_logger(__name__)

MAX_LEN_SUBJECT = 200
# So many go at once.
MAX_CONCURRENT = 4
# Of a mail server that does not answer, so long.
RETRY_FOR = timedelta(days=2)
# What was sent or given up is kept so long, and at most so much of it.
RETENTION = timedelta(days=30)
MAX_KEPT = 10_000
COPIED_FIELDS = (
    "reference",
    "recipient",
    "subject",
    "text",
    "html",
    "unsubscribe",
    "language",
    "created_at",
)


class EmailNotAcceptedError(MoothallError):
    """Whoever carries e-mails did not take one."""

    code = "not-taken"


def get_transport(settings: Settings, outbound: Outbound) -> MailTransport:
    """The way by which e-mails go, as it is set."""
    if settings.mail == "smtp":
        return SmtpTransport(settings)
    return NotifyTransport(settings, outbound) if settings.mail == "notify" else ConsoleTransport()


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
        subject=one_line(subject, MAX_LEN_SUBJECT),
        text=text,
        html=html,
        unsubscribe=unsubscribe,
        language=language,
    )
    work.session.add(mail)
    work.session.flush()
    work.wake(Mail.JOB)
    return mail


def send_test_email(node: Node, recipient: str) -> None:
    """Send an e-mail at once, to see whether it is taken. Raises `NotTakenError` if it is not."""
    try:
        to = validate_email(recipient, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise InvalidInputError(msg("That is not an email address.")) from error
    letter = OutgoingEmail(
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
        get_transport(node.settings, node.outbound).deliver(letter)
    except MailError as error:
        raise EmailNotAcceptedError(
            msg("The email was not accepted: %(answer)s", answer=error.detail)
        ) from error


@queues.wakes_for_next(Mail)
def run_job(node: Node) -> None:
    """The job: send all that is due."""
    way = get_transport(node.settings, node.outbound)
    queues.process_queue(node, Mail, partial(_attempt, node, way), concurrency=MAX_CONCURRENT)


def _attempt(node: Node, way: MailTransport, leased: queues.Lease) -> None:
    with node.reading() as session:
        mail = session.get(Mail, leased.id)
        if mail is None or mail.state != Mail.WAITING:
            return
        letter = OutgoingEmail(**{name: getattr(mail, name) for name in COPIED_FIELDS})
    error: MailError | None = None
    try:
        way.deliver(letter)
    except MailError as raised:
        error = raised
        log.warning("an e-mail was not taken", mail=leased.id, why=raised.detail)
    queues.record_with_retry(node, Mail, lambda work: _record(work, leased, error))


def _record(work: UnitOfWork, leased: queues.Lease, error: MailError | None) -> None:
    mail = work.session.get(Mail, leased.id, with_for_update=True)
    if mail is None or mail.state != Mail.WAITING:
        return
    mail.leased_until = None
    mail.answer = error.detail if error else ""
    if error and mail.due_at != leased.due_at:
        return
    mail.attempts += 1
    moment = now()
    after = None
    if error and not error.permanent:
        age = moment - mail.created_at
        jitter = random.random()  # noqa: S311 -- no secret
        after = decide(None, mail.attempts, age, None, jitter, give_up_after=RETRY_FOR).retry_in
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
        raise NotFoundError(msg("There is no such email."))
    if mail.state == "sent":
        raise ConflictError(msg("This email has already been sent."))
    if mail.state == "failed":
        mail.move_to(Mail.WAITING)
    mail.attempts, mail.finished_at = 0, None
    mail.created_at = mail.due_at = now()
    work.audit("mail.retry", mail.recipient, mail=mail.id)
    work.wake(Mail.JOB)
    return mail


def prune_mail(node: Node) -> int:
    """Delete what was sent or given up long ago. Returns how many that were."""
    finished = select(Mail.id).where(Mail.state != Mail.WAITING)
    old = finished.where(Mail.finished_at < now() - RETENTION)
    return prune_rows(node, Mail.JOB, Mail, old) + prune_surplus(
        node, Mail.JOB, Mail, finished, Mail.id, MAX_KEPT
    )
