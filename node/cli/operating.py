"""Commands for operators: inspect objects, deliveries and sharing records, and explain failures."""

import json

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from node.cli.node_context import open_node, open_work
from node.errors import NotFoundError
from node.federating.models import Delivery, Disclosure
from node.federating.outbound import delivery as service
from node.operating.delivery_reasons import HostOutcome, outcome_at_host
from node.operating.explanations import explain, next_step
from node.operating.inspected_objects import find_object, parse_host
from node.operating.inspection import inspect_object
from node.operating.missing_reasons import explain_missing
from node.settings import Settings

MAX_ROWS = 10_000


@click.command()
@click.argument("id")
@click.argument("host", required=False)
def inspect(id: str, host: str | None) -> None:  # noqa: A002 -- the word of the command
    """Print everything that this server knows about ID, as JSON: a project, update, comment,
    document of a plugin, activity or actor. With HOST, only whether that server has it, and why.

    ID is an ActivityPub id, the address of a page of this server, or @name@host.
    """
    with open_node() as node, node.reading() as session:
        report = inspect_object(session, node.settings, id, parse_host(host) if host else "")
        click.echo(json.dumps(report, indent=2, ensure_ascii=False))


@click.command()
@click.argument("id")
@click.argument("host", required=False)
def why(id: str, host: str | None) -> None:  # noqa: A002
    """Explain why the server HOST has or does not have ID: host, reason, explanation, next step,
    time, last response. Without HOST, explain why this server does not have it.
    """
    with open_node() as node, node.reading() as session:
        outcome = _find_outcome(
            session, node.settings, id, parse_host(host or node.settings.authority)
        )
        at = outcome.at.isoformat(timespec="seconds") if outcome.at else ""
        line = (
            outcome.host,
            outcome.reason,
            explain(outcome),
            next_step(outcome),
            at,
            outcome.answer,
        )
        click.echo("\t".join(line).rstrip())


def _find_outcome(session: Session, settings: Settings, name: str, host: str) -> HostOutcome:
    """Raises `NotFoundError` if there is no explanation."""
    try:
        return outcome_at_host(session, settings, find_object(session, settings, name), host)
    except NotFoundError:
        outcome = explain_missing(session, settings, name) if host == settings.authority else None
        if outcome is None:
            raise
        return outcome


@click.command()
@click.option("--host", help="Only what we shared with this server.")
def shared(host: str | None) -> None:
    """List what we have shared with other servers: host, first time, last time, activity, id."""
    query = select(Disclosure).order_by(Disclosure.last_at.desc()).limit(MAX_ROWS)
    with open_node() as node, node.reading() as session:
        for row in session.scalars(query.where(Disclosure.host == host) if host else query):
            first, last = (at.isoformat(timespec="seconds") for at in (row.first_at, row.last_at))
            click.echo(f"{row.host}\t{first}\t{last}\t{row.type}\t{row.object_uri}")


@click.group()
def delivery() -> None:
    """Manage deliveries to other servers."""


@delivery.command("list")
@click.option("--state", type=click.Choice(list(Delivery.STATES)), help="Only in this state.")
@click.option("--host", help="Only deliveries to this server.")
def list_deliveries(state: str | None, host: str | None) -> None:
    """List deliveries, newest first: number, state, host, activity, object, last response."""
    query = select(Delivery).order_by(Delivery.id.desc()).limit(MAX_ROWS)
    if state:
        query = query.where(Delivery.state == state)
    if host:
        query = query.where(Delivery.host == host)
    with open_node() as node, node.reading() as session:
        for row in session.scalars(query):
            last = row.tries[-1] if row.tries else None
            answer = f"{last.status or ''} {last.answer}".strip() if last else ""
            parts = (row.id, row.state, row.host, row.activity.type, row.object_uri, answer)
            click.echo("\t".join(map(str, parts)))


@delivery.command()
@click.argument("number", type=int, required=False)
@click.option("--host", help="Retry all failed deliveries to this server.")
def retry(number: int | None, host: str | None) -> None:
    """Retry the delivery NUMBER now, or with --host all failed deliveries to a server."""
    if (number is None) == (host is None):
        raise click.UsageError("Give either the number of a delivery or a server with --host.")
    with open_work() as work:
        if number is not None:
            click.echo(f"The delivery to {service.retry(work, number).host} will be retried")
        else:
            click.echo(f"Will be retried: {service.retry_host(work, (host or '').lower())}")


@delivery.command()
@click.argument("host")
def cancel(host: str) -> None:
    """Cancel all waiting deliveries to the server HOST."""
    with open_work() as work:
        click.echo(f"Cancelled: {service.cancel_host(work, host.lower())}")


COMMANDS = (inspect, why, shared, delivery)
