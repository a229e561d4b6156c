"""E-mails given to a mail server."""

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
    """Speaks with the mail server anew for each e-mail, so that none waits for a broken line."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def deliver(self, letter: OutgoingEmail) -> None:
        message = to_mime(letter, self._settings)
        with _typed_errors(), self._connected() as server:
            server.send_message(message, self._settings.mail_from, [letter.recipient])

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        settings = self._settings
        # We call ourselves by our public name, as receivers expect.
        where = settings.smtp_host, settings.smtp_port, settings.authority.partition(":")[0]
        context = ssl.create_default_context()
        if settings.ca_file:
            context.load_verify_locations(settings.ca_file)
        if settings.smtp_security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                *where, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(*where, timeout=TIMEOUT_SECONDS)
        with server:
            if settings.smtp_security == "starttls":
                server.starttls(context=context)
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password)
            yield server


def to_mime(letter: OutgoingEmail, settings: Settings) -> EmailMessage:
    """The e-mail as it is on the wire: text, and HTML beside it."""
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = letter.recipient
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.created_at)
    # The same at every attempt, so that one which arrived twice is shown once.
    message["Message-ID"] = f"<{letter.reference}@{settings.authority.partition(':')[0]}>"
    message["Auto-Submitted"] = "auto-generated"
    if letter.unsubscribe:
        message["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.text)
    if letter.html:
        message.add_alternative(letter.html, subtype="html")
    # Last: whoever sets the content takes away every header that is about it.
    message["Content-Language"] = letter.language
    return message


@contextmanager
def _typed_errors() -> Iterator[None]:
    """Only what the server says of this recipient or this message is for good: all else is of the
    server or of our settings, which somebody may mend.
    """
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        raise MailError(_describe_error(code, words), permanent=500 <= code < 600) from error
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


def _describe_error(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{code} {' '.join(text.split())}"[:MAX_LEN_ERROR]
