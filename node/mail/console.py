"""E-mails that go nowhere: they are printed, for development."""

import sys

from node.mail.transport import OutgoingEmail

LINE = "-" * 72


class ConsoleTransport:
    def deliver(self, letter: OutgoingEmail) -> None:
        lines = [LINE, f"To: {letter.recipient}", f"Subject: {letter.subject}", "", letter.text]
        if letter.unsubscribe:
            lines.append(f"List-Unsubscribe: <{letter.unsubscribe}>")
        print(*lines, LINE, sep="\n", file=sys.stderr, flush=True)  # noqa: T201 -- what it is for
