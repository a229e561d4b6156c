"""Lets the job that deletes old rows run, which it does once an hour."""

from sqlalchemy import delete

from node.queue import pruning
from node.queue.hourly_jobs import HourlyJob
from node.testing.nodes import TestNode


def prune(node: TestNode) -> None:
    """As if an hour had passed."""
    with node.work() as work:
        work.session.execute(delete(HourlyJob).where(HourlyJob.job == pruning.JOB))
    node.node.jobs.wake(pruning.JOB)
    node.node.jobs.run_pending()
