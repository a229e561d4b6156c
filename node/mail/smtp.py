"""A transport that sends emails by SMTP."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import format_datetime

from node.mail.transport import MailError, OutgoingEmail
from node.settings import Settings

TIMEOUT_SECONDS = 10.0
MAX_LEN_ERROR = 300


class SmtpTransport:
    """Opens a new connection for each email, so that none waits for a broken connection."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def deliver(self, email: OutgoingEmail) -> None:
        message = to_mime(email, self._settings)
        with _translated_errors(), self._connection() as server:
            server.send_message(message, self._settings.mail_from, [email.recipient])

    @contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        settings = self._settings
        # The last is our name in EHLO: receivers expect the public one.
        address = settings.smtp_host, settings.smtp_port, settings.authority.partition(":")[0]
        context = ssl.create_default_context()
        if settings.ca_file:
            context.load_verify_locations(settings.ca_file)
        if settings.smtp_security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                *address, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(*address, timeout=TIMEOUT_SECONDS)
        with server:
            if settings.smtp_security == "starttls":
                server.starttls(context=context)
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password)
            yield server


def to_mime(email: OutgoingEmail, settings: Settings) -> EmailMessage:
    """The email as a MIME message: text, and HTML as an alternative."""
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = email.recipient
    message["Subject"] = email.subject
    message["Date"] = format_datetime(email.created_at)
    # The same at every attempt, so that mail programs show an email that arrives twice once.
    message["Message-ID"] = f"<{email.reference}@{settings.authority.partition(':')[0]}>"
    message["Auto-Submitted"] = "auto-generated"
    if email.unsubscribe:
        message["List-Unsubscribe"] = f"<{email.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(email.text)
    if email.html:
        message.add_alternative(email.html, subtype="html")
    # Last, as setting the content removes all Content-* headers.
    message["Content-Language"] = email.language
    return message


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Raise `MailError` for all errors. Only the server's 5xx responses about this recipient or
    this message are permanent: all others concern the server or our settings, which may be fixed.
    """
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        raise MailError(_describe_error(code, text), permanent=500 <= code < 600) from error
    except smtplib.SMTPDataError as error:
        permanent = 500 <= error.smtp_code < 600
        raise MailError(
            _describe_error(error.smtp_code, error.smtp_error), permanent=permanent
        ) from error
    except smtplib.SMTPResponseException as error:
        raise MailError(_describe_error(error.smtp_code, error.smtp_error)) from error
    except (smtplib.SMTPException, OSError) as error:
        cause = f"The mail server cannot be used: {error}"
        raise MailError(" ".join(cause[:MAX_LEN_ERROR].split())) from error


def _describe_error(code: int, message: bytes | str) -> str:
    text = message.decode("utf-8", "replace") if isinstance(message, bytes) else message
    return f"{code} {' '.join(text.split())}"[:MAX_LEN_ERROR]
