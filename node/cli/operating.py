"""Commands for looking after the node: what it knows, what it sent, why somebody has not got it."""

import json

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from node.cli.node_context import open_node, open_work
from node.errors import NotFoundError
from node.federating import delivery as service
from node.federating.models import Delivery, Disclosure
from node.operating.delivery_reasons import HostOutcome, outcome_at_host
from node.operating.explanations import explain, next_step
from node.operating.inspected_objects import find_object, parse_host
from node.operating.inspection import inspect_object as known_of
from node.operating.missing_reasons import explain_missing
from node.settings import Settings

MAX_ROWS = 10_000


@click.command()
@click.argument("id")
@click.argument("host", required=False)
def inspect(id: str, host: str | None) -> None:  # noqa: A002 -- the word of the command
    """Print all that the node knows of ID, as JSON: a project, update, comment, document of a
    plugin, activity or actor; with HOST, of that server alone why it has it, or has not.

    ID is an ActivityPub id, the address of a page of this node, or @name@host.
    """
    with open_node() as node, node.reading() as session:
        known = known_of(session, node.settings, id, parse_host(host) if host else "")
        click.echo(json.dumps(known, indent=2, ensure_ascii=False))


@click.command()
@click.argument("id")
@click.argument("host", required=False)
def why(id: str, host: str | None) -> None:  # noqa: A002
    """Say why the server HOST has ID, or has not; without HOST, why this node has not: host,
    reason, words, next step, when, last answer.
    """
    with open_node() as node, node.reading() as session:
        told = _explain(session, node.settings, id, parse_host(host or node.settings.authority))
        at = told.at.isoformat(timespec="seconds") if told.at else ""
        line = (told.host, told.reason, explain(told), next_step(told), at, told.answer)
        click.echo("\t".join(line).rstrip())


def _explain(session: Session, settings: Settings, named: str, host: str) -> HostOutcome:
    """Raises `NotFoundError` where nothing can be said."""
    try:
        return outcome_at_host(session, settings, find_object(session, settings, named), host)
    except NotFoundError:
        told = explain_missing(session, settings, named) if host == settings.authority else None
        if told is None:
            raise
        return told


@click.command()
@click.option("--host", help="Only what this server got.")
def shared(host: str | None) -> None:
    """What we have shared, with whom, and when: host, first, last, by which activity, id."""
    query = select(Disclosure).order_by(Disclosure.last_at.desc()).limit(MAX_ROWS)
    with open_node() as node, node.reading() as session:
        for row in session.scalars(query.where(Disclosure.host == host) if host else query):
            first, last = (at.isoformat(timespec="seconds") for at in (row.first_at, row.last_at))
            click.echo(f"{row.host}\t{first}\t{last}\t{row.type}\t{row.object_uri}")


@click.group()
def delivery() -> None:
    """What goes out to other servers."""


@delivery.command("list")
@click.option("--state", type=click.Choice(list(Delivery.STATES)), help="Only those in this state.")
@click.option("--host", help="Only those to this server.")
def list_deliveries(state: str | None, host: str | None) -> None:
    """Deliveries, newest first: number, state, host, activity, object, last answer."""
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
@click.option("--host", help="All that this server has not got.")
def retry(number: int | None, host: str | None) -> None:
    """Try the delivery NUMBER again, now, or all those to a server."""
    if (number is None) == (host is None):
        raise click.UsageError("Name a delivery by its number, or a server with --host.")
    with open_work() as work:
        if number is not None:
            click.echo(f"The delivery to {service.retry(work, number).host} is tried again")
        else:
            click.echo(f"Tried again: {service.retry_host(work, (host or '').lower())}")


@delivery.command("give-up")
@click.argument("host")
def give_up(host: str) -> None:
    """Give up all that waits to be delivered to the server HOST."""
    with open_work() as work:
        click.echo(f"Given up: {service.cancel_host(work, host.lower())}")


COMMANDS = (inspect, why, shared, delivery)
