"""Commands for email."""

import click
from sqlalchemy import select

from node.cli.node_context import open_node, open_work
from node.mail import service
from node.mail.models import Mail

MAX_ROWS = 10_000


@click.group()
def mail() -> None:
    """Manage emails."""


@mail.command()
@click.argument("address")
def test(address: str) -> None:
    """Send a test email to ADDRESS now, with the configured mail settings."""
    with open_node() as node:
        service.send_test_email(node, address)
        click.echo(f"{node.settings.mail} accepted the email to {address}")


@mail.command("list")
@click.option("--state", type=click.Choice(list(Mail.STATES)), help="Only emails in this state.")
def list_emails(state: str | None) -> None:
    """List emails, newest first: number, state, address, attempts, last response."""
    query = select(Mail).order_by(Mail.id.desc()).limit(MAX_ROWS)
    with open_node() as node, node.reading() as session:
        for row in session.scalars(query.where(Mail.state == state) if state else query):
            parts = (row.id, row.state, row.recipient, row.attempts, row.answer)
            click.echo("\t".join(map(str, parts)))


@mail.command()
@click.argument("number", type=int)
def retry(number: int) -> None:
    """Retry the email NUMBER now."""
    with open_work() as work:
        click.echo(f"The email to {service.retry(work, number).recipient} will be retried")


COMMANDS = (mail,)
