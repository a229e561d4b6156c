"""The interface of transports: an outgoing email, and the error that sending it may raise."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class OutgoingEmail:
    """A copy of a `node.mail.models.Mail`, for use outside its transaction."""

    reference: str
    recipient: str
    subject: str
    text: str
    html: str
    unsubscribe: str
    language: str
    created_at: datetime


class MailError(Exception):
    """An email was not accepted. `permanent`: it must not be retried."""

    def __init__(self, detail: str, *, permanent: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.permanent = permanent


class MailTransport(Protocol):
    """A way to send emails."""

    def deliver(self, email: OutgoingEmail) -> None:
        """Send an email, within seconds. Raises `MailError`."""
