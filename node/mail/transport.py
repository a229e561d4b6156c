"""An e-mail as it is handed to whoever carries it, and what may become of it then."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class OutgoingEmail:
    """All of one e-mail. See `node.mail.models.Mail`."""

    reference: str
    recipient: str
    subject: str
    text: str
    html: str
    unsubscribe: str
    language: str
    created_at: datetime


class MailError(Exception):
    """It was not taken. `permanent`: it never will be."""

    def __init__(self, words: str, *, permanent: bool = False) -> None:
        super().__init__(words)
        self.detail = words
        self.permanent = permanent


class MailTransport(Protocol):
    """One way by which e-mails go."""

    def deliver(self, letter: OutgoingEmail) -> None:
        """Hand it on, within seconds. Raises `MailError`."""
