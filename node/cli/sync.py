"""Commands for copies of other councils' projects: backfill and comparison."""

from datetime import datetime

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from node.cli.node_context import COMMAND_LINE, open_node, open_work
from node.errors import NotFoundError
from node.federating.models import Actor, Backfill, Comparison
from node.federating.peers import comparison_schedule
from node.federating.sync import backfill as backfills
from node.messages import msg
from node.sync import comparison


@click.group()
def backfill() -> None:
    """Read all projects of other councils, page by page."""


@backfill.command("list")
def list_backfills() -> None:
    """List all backfills and their progress."""
    with open_node() as node, node.reading() as session:
        for row in session.scalars(select(Backfill).order_by(Backfill.id)):
            click.echo(_format_backfill(row))


@backfill.command()
@click.argument("council")
def start(council: str) -> None:
    """Restart the backfill of COUNCIL (@council@host, or its id) from the beginning."""
    with open_work() as work:
        row = backfills.start_by_operator(work, _require_actor(work.session, council))
        click.echo(f"Restarted the backfill of {row.actor.address}")


@backfill.command()
@click.argument("council")
def status(council: str) -> None:
    """Print the progress of the backfill of COUNCIL."""
    with open_node() as node, node.reading() as session:
        actor = _require_actor(session, council)
        row = session.scalar(select(Backfill).where(Backfill.actor_id == actor.id))
        if row is None:
            raise NotFoundError(
                msg("%(address)s has never been backfilled.", address=actor.address)
            )
        click.echo(_format_backfill(row))


@click.group()
def sync() -> None:
    """Compare this server's copies of other councils' projects with the originals."""


@sync.command()
@click.argument("council", required=False)
def now(council: str | None) -> None:
    """Compare with COUNCIL now, or with every council that ours follows, and print the result."""
    with open_node() as node:
        with node.work(by=COMMAND_LINE) as work:
            comparison_schedule.schedule_for_followed(work.session)
            actor_id = _require_actor(work.session, council).id if council else None
            for row in work.session.scalars(select(Comparison)).all():
                if actor_id in (None, row.actor_id):
                    comparison_schedule.compare_soon(work, row.actor_id)
        comparison.run_job(node)
        with node.reading() as session:
            _print_comparisons(session)


@sync.command("status")
def sync_status() -> None:
    """List the last comparison with each council and its result."""
    with open_node() as node, node.reading() as session:
        _print_comparisons(session)


def _print_comparisons(session: Session) -> None:
    for row in session.scalars(select(Comparison).order_by(Comparison.id)):
        click.echo(
            "\t".join(
                (
                    row.actor.address,
                    f"compared {_format_time(row.compared_at)}",
                    f"last identical {_format_time(row.agreed_at)}",
                    f"{row.different} different, {row.fetched} fetched, {row.removed} removed",
                    row.outcome,
                )
            )
        )


def _format_backfill(row: Backfill) -> str:
    total = "" if row.total is None else f" of {row.total:,}"
    read = f"{row.read:,}{total} projects read, {row.pages:,} pages"
    return "\t".join(
        (row.actor.address, row.state, read, _format_time(row.started_at), row.outcome)
    )


def _format_time(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else "never"


def _require_actor(session: Session, council: str) -> Actor:
    """The actor of another council. Raises `NotFoundError`."""
    for actor in session.scalars(select(Actor).where(~Actor.is_local)):
        if council in {actor.uri, actor.url, actor.address, actor.address.removeprefix("@")}:
            return actor
    raise NotFoundError(msg("Council with the address %(council)s not found.", council=council))


COMMANDS = (backfill, sync)
