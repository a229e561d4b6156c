"""Queues emails in the transaction that they belong to, and sends them after its commit."""

import random
import secrets
from dataclasses import replace
from datetime import timedelta
from functools import partial

import structlog
from email_validator import EmailNotValidError, validate_email

from federation.retry import DELIVERY, decide
from node.database.tables import now
from node.errors import ConflictError, InvalidInputError, MoothallError, NotFoundError
from node.mail.console import ConsoleTransport
from node.mail.models import Mail
from node.mail.notify import NotifyTransport
from node.mail.smtp import SmtpTransport
from node.mail.transport import MailError, MailTransport, OutgoingEmail
from node.messages import msg
from node.outbound import OutboundClient
from node.queue import leases
from node.queue.pruning import MaxAge, MaxRows, Retention
from node.runtime import Node, UnitOfWork
from node.settings import Settings
from node.text import one_line

log = structlog.get_logger(__name__)

MAX_LEN_SUBJECT = 200
# Emails sent at the same time.
MAX_CONCURRENT = 4
# How long an email is retried.
RETRY = replace(DELIVERY, max_age=timedelta(days=2))
# Sent and failed emails are kept this long, and at most this many.
MAX_AGE, MAX_FINISHED_ROWS = timedelta(days=30), 10_000
RETENTION = (
    Retention(
        "emails",
        Mail,
        (
            MaxAge(Mail.finished_at, lambda _: MAX_AGE),
            MaxRows(lambda _: MAX_FINISHED_ROWS, Mail.id),
        ),
        lambda: Mail.state != Mail.WAITING_STATE,
    ),
)
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
    """The mail server or service did not accept an email."""

    code = "not-taken"


def get_transport(settings: Settings, outbound: OutboundClient) -> MailTransport:
    """The transport that the settings choose."""
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
    """Queue an email, which is sent after the commit."""
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
    """Send an email at once, without the queue. Raises `InvalidInputError` for an invalid address
    and `EmailNotAcceptedError` if the email is not accepted.
    """
    try:
        address = validate_email(recipient, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise InvalidInputError(msg("The email address is not valid.")) from error
    email = OutgoingEmail(
        reference=secrets.token_urlsafe(18),
        recipient=address,
        subject="Test email from Moothall",
        text=f"The server at {node.settings.base_url} can send emails.\n",
        html="",
        unsubscribe="",
        language="en",
        created_at=now(),
    )
    try:
        get_transport(node.settings, node.outbound).deliver(email)
    except MailError as error:
        raise EmailNotAcceptedError(
            msg("The mail server did not accept the email: %(answer)s", answer=error.detail)
        ) from error


@leases.wakes_for_next(Mail)
def run_job(node: Node) -> None:
    """Job: send all due emails."""
    transport = get_transport(node.settings, node.outbound)
    leases.process_queue(
        node, Mail, partial(_attempt_delivery, node, transport), concurrency=MAX_CONCURRENT
    )


def _attempt_delivery(node: Node, transport: MailTransport, lease: leases.Lease) -> None:
    with node.reading() as session:
        mail = session.get(Mail, lease.id)
        if mail is None or mail.state != Mail.WAITING_STATE:
            return
        email = OutgoingEmail(**{name: getattr(mail, name) for name in COPIED_FIELDS})
    error: MailError | None = None
    try:
        transport.deliver(email)
    except MailError as raised:
        error = raised
        log.warning("email delivery failed", mail=lease.id, reason=raised.detail)
    leases.record_with_retry(node, Mail, lambda work: _record_result(work, lease, error))


def _record_result(work: UnitOfWork, lease: leases.Lease, error: MailError | None) -> None:
    mail = work.session.get(Mail, lease.id, with_for_update=True)
    if mail is None or mail.state != Mail.WAITING_STATE:
        return
    mail.leased_until = None
    mail.answer = error.detail if error else ""
    if error and mail.due_at != lease.due_at:
        return
    mail.attempts += 1
    attempted_at = now()
    retry_in = None
    if error and not error.permanent:
        age = attempted_at - mail.created_at
        jitter = random.random()  # noqa: S311 -- no secret
        retry_in = decide(None, mail.attempts, age, None, jitter, policy=RETRY).retry_in
    if retry_in is not None:
        mail.due_at = attempted_at + retry_in
        return
    mail.move_to("failed" if error else "sent")
    mail.finished_at = attempted_at
    # The text is for the recipient only.
    if not error:
        mail.text = mail.html = ""


def retry(work: UnitOfWork, mail_id: int) -> Mail:
    """Queue an email again, now. Raises `ConflictError` if it was sent, or `NotFoundError`."""
    mail = work.session.get(Mail, mail_id, with_for_update=True)
    if mail is None:
        raise NotFoundError(msg("Email not found."))
    if mail.state == "sent":
        raise ConflictError(msg("This email has already been sent."))
    if mail.state == "failed":
        mail.move_to(Mail.WAITING_STATE)
    mail.attempts, mail.finished_at = 0, None
    mail.created_at = mail.due_at = now()
    work.audit("mail.retry", mail.recipient, mail=mail.id)
    work.wake(Mail.JOB)
    return mail
