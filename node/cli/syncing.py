"""Commands about holding what other councils have: reading it all, and comparing."""

from datetime import datetime

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from node.catalogue import comparison
from node.cli.opening import BY, opened, working
from node.errors import NotFoundError
from node.federating import backfill as reading
from node.federating import comparisons
from node.federating.models import Actor, Backfill, Comparison
from node.wording import say


@click.group()
def backfill() -> None:
    """Reading all that a council has, page by page."""


@backfill.command("list")
def list_backfills() -> None:
    """Every council that was read, and how far."""
    with opened() as node, node.reading() as session:
        for row in session.scalars(select(Backfill).order_by(Backfill.id)):
            click.echo(_told(row))


@backfill.command()
@click.argument("council")
def start(council: str) -> None:
    """Read COUNCIL (@council@host, or its id) again from the beginning."""
    with working() as work:
        row = reading.begin_for(work, _actor(work.session, council))
        click.echo(f"{row.actor.address} is being read from the beginning")


@backfill.command()
@click.argument("council")
def status(council: str) -> None:
    """How far reading COUNCIL is."""
    with opened() as node, node.reading() as session:
        actor = _actor(session, council)
        row = session.scalar(select(Backfill).where(Backfill.actor_id == actor.id))
        if row is None:
            raise NotFoundError(
                say("%(address)s has never been backfilled.", address=actor.address)
            )
        click.echo(_told(row))


@click.group()
def sync() -> None:
    """Comparing what this node holds of other councils with what they have."""


@sync.command()
@click.argument("council", required=False)
def now(council: str | None) -> None:
    """Compare with COUNCIL now, or with every council that ours follows; say what came of it."""
    with opened() as node:
        with node.work(by=BY) as work:
            comparisons.watch_followed(work.session)
            chosen = [_actor(work.session, council).id] if council else None
            for row in work.session.scalars(select(Comparison)).all():
                if chosen is None or row.actor_id in chosen:
                    comparisons.look_soon(work, row.actor_id)
        comparison.work_off(node)
        with node.reading() as session:
            _show(session)


@sync.command("status")
def sync_status() -> None:
    """When each council was compared with last, and what came of it."""
    with opened() as node, node.reading() as session:
        _show(session)


def _show(session: Session) -> None:
    for row in session.scalars(select(Comparison).order_by(Comparison.id)):
        click.echo(
            "\t".join(
                (
                    row.actor.address,
                    f"compared {_when(row.compared_at)}",
                    f"the same {_when(row.agreed_at)}",
                    f"{row.different} different, {row.fetched} fetched, {row.removed} removed",
                    row.outcome,
                )
            )
        )


def _told(row: Backfill) -> str:
    total = "" if row.total is None else f" of {row.total:,}"
    read = f"{row.read:,}{total} read on {row.pages:,} pages"
    return "\t".join((row.actor.address, row.state, read, _when(row.started_at), row.outcome))


def _when(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else "never"


def _actor(session: Session, council: str) -> Actor:
    """The actor of another council. Raises `NotFoundError`."""
    for actor in session.scalars(select(Actor).where(~Actor.is_local)):
        if council in {actor.uri, actor.url, actor.address, actor.address.removeprefix("@")}:
            return actor
    raise NotFoundError(
        say("This server knows no council with the address %(council)s.", council=council)
    )


COMMANDS = (backfill, sync)
