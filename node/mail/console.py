"""A transport that prints emails instead of sending them, for development."""

import sys

from node.mail.transport import OutgoingEmail

SEPARATOR = "-" * 72


class ConsoleTransport:
    def deliver(self, email: OutgoingEmail) -> None:
        lines = [SEPARATOR, f"To: {email.recipient}", f"Subject: {email.subject}", "", email.text]
        if email.unsubscribe:
            lines.append(f"List-Unsubscribe: <{email.unsubscribe}>")
        print(*lines, SEPARATOR, sep="\n", file=sys.stderr, flush=True)  # noqa: T201 -- what it is for
