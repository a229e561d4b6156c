"""What is done once an hour, whichever of this node's processes does it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from node.db import Base, insert_once, now
from node.runtime import Node

INTERVAL = timedelta(hours=1)
# After a run that failed.
RETRY_INTERVAL = timedelta(minutes=1)


class HourlyJob(Base):
    """When a job that runs once an hour is due next."""

    __tablename__ = "hourly_job"

    job: Mapped[str] = mapped_column(String(40), primary_key=True)
    due_at: Mapped[datetime]


def run_hourly(node: Node, job: str, act: Callable[[], object]) -> None:
    """Have `act` run, unless it did within the hour in any process. What it raises is raised, and
    it runs again soon.
    """
    if not _claim(node, job):
        return
    try:
        act()
    except BaseException:
        with node.work(by=job) as work:
            again = (
                update(HourlyJob).where(HourlyJob.job == job).values(due_at=now() + RETRY_INTERVAL)
            )
            work.session.execute(again)
        raise


def _claim(node: Node, job: str) -> bool:
    with node.reading() as session:
        due_at = session.scalar(select(HourlyJob.due_at).where(HourlyJob.job == job))
    moment = now()
    if due_at is not None and due_at > moment:
        return False
    with node.work(by=job) as work:
        if due_at is None:
            return insert_once(work.session, HourlyJob, job=job, due_at=moment + INTERVAL)
        # Of two processes, the second finds that it is claimed.
        mine = HourlyJob.job == job, HourlyJob.due_at == due_at
        claimed = update(HourlyJob).where(*mine).values(due_at=moment + INTERVAL)
        return work.session.scalar(claimed.returning(HourlyJob.job)) is not None
