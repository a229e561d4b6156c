"""Runs jobs once an hour in one of this node's processes."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from node.database.tables import Base, insert_once, now
from node.principal import Principal
from node.queue.error_isolation import JOB_RETRY
from node.runtime import Node

INTERVAL = timedelta(hours=1)


class HourlyJob(Base):
    """When an hourly job is due next."""

    __tablename__ = "hourly_job"

    job: Mapped[str] = mapped_column(String(40), primary_key=True)
    due_at: Mapped[datetime]


def run_hourly(node: Node, job: str, act: Callable[[], object]) -> None:
    """Call `act`, unless a process of this node did within the last hour. If it raises, the error
    is raised and the job is due again after the first delay of `JOB_RETRY`.
    """
    if not _claim(node, job):
        return
    try:
        act()
    except BaseException:
        with node.work(by=Principal.job(job)) as work:
            due_at = now() + JOB_RETRY.first_delay
            work.session.execute(
                update(HourlyJob).where(HourlyJob.job == job).values(due_at=due_at)
            )
        raise


def _claim(node: Node, job: str) -> bool:
    """Whether the job is due and this process, and no other, is to run it."""
    with node.reading() as session:
        due_at = session.scalar(select(HourlyJob.due_at).where(HourlyJob.job == job))
    current_time = now()
    if due_at is not None and due_at > current_time:
        return False
    with node.work(by=Principal.job(job)) as work:
        if due_at is None:
            return insert_once(work.session, HourlyJob, job=job, due_at=current_time + INTERVAL)
        # Compare and set: the second of two processes updates no row.
        is_unclaimed = HourlyJob.job == job, HourlyJob.due_at == due_at
        claim = update(HourlyJob).where(*is_unclaimed).values(due_at=current_time + INTERVAL)
        return work.session.scalar(claim.returning(HourlyJob.job)) is not None
