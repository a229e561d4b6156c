"""Commands for looking after the node: what it knows, what it sent, why somebody has not got it."""

import json

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from node.cli.opening import opened, working
from node.errors import NotFoundError
from node.federating import delivery as service
from node.federating.models import Delivery, Shared
from node.operating.explaining import next_step, words
from node.operating.inspecting import inspect as known_of
from node.operating.missing import missing
from node.operating.reasons import Story, story
from node.operating.subjects import find, host_named
from node.settings import Settings

MOST = 10_000


@click.command()
@click.argument("id")
@click.argument("host", required=False)
def inspect(id: str, host: str | None) -> None:  # noqa: A002 -- the word of the command
    """Print all that the node knows of ID, as JSON: a project, update, comment, document of a
    plugin, activity or actor; with HOST, of that server alone why it has it, or has not.

    ID is an ActivityPub id, the address of a page of this node, or @name@host.
    """
    with opened() as node, node.reading() as session:
        known = known_of(session, node.settings, id, host_named(host) if host else "")
        click.echo(json.dumps(known, indent=2, ensure_ascii=False))


@click.command()
@click.argument("id")
@click.argument("host", required=False)
def why(id: str, host: str | None) -> None:  # noqa: A002
    """Say why the server HOST has ID, or has not; without HOST, why this node has not: host,
    reason, words, next step, when, last answer.
    """
    with opened() as node, node.reading() as session:
        told = _story(session, node.settings, id, host_named(host or node.settings.authority))
        at = told.at.isoformat(timespec="seconds") if told.at else ""
        line = (told.host, told.reason, words(told), next_step(told), at, told.answer)
        click.echo("\t".join(line).rstrip())


def _story(session: Session, settings: Settings, named: str, host: str) -> Story:
    """Raises `NotFoundError` where nothing can be said."""
    try:
        return story(session, settings, find(session, settings, named), host)
    except NotFoundError:
        told = missing(session, settings, named) if host == settings.authority else None
        if told is None:
            raise
        return told


@click.command()
@click.option("--host", help="Only what this server got.")
def shared(host: str | None) -> None:
    """What we have shared, with whom, and when: host, first, last, by which activity, id."""
    query = select(Shared).order_by(Shared.last_at.desc()).limit(MOST)
    with opened() as node, node.reading() as session:
        for row in session.scalars(query.where(Shared.host == host) if host else query):
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
    query = select(Delivery).order_by(Delivery.id.desc()).limit(MOST)
    if state:
        query = query.where(Delivery.state == state)
    if host:
        query = query.where(Delivery.host == host)
    with opened() as node, node.reading() as session:
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
    with working() as work:
        if number is not None:
            click.echo(f"The delivery to {service.retry(work, number).host} is tried again")
        else:
            click.echo(f"Tried again: {service.retry_host(work, (host or '').lower())}")


@delivery.command("give-up")
@click.argument("host")
def give_up(host: str) -> None:
    """Give up all that waits to be delivered to the server HOST."""
    with working() as work:
        click.echo(f"Given up: {service.give_up_host(work, host.lower())}")


COMMANDS = (inspect, why, shared, delivery)
