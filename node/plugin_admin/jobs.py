"""What plugins have done again and again, and what is done once when one was switched on."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import update

from node.councils import service as councils
from node.db import insert_once, now
from node.error_isolation import for_each
from node.federating import backfill
from node.hooks import Hooks
from node.plugin_admin.enablement import CATCH_UP_JOB
from node.plugin_admin.models import PluginJob
from node.plugin_declarations import ScheduledJob
from node.plugin_views import Work
from node.runtime import Node, UnitOfWork
from node.search import indexing

JOB = "plugins"
MIN_INTERVAL = timedelta(minutes=1)


def has_work(hooks: Hooks) -> bool:
    """Whether there is anything to do for the plugins that are switched on."""
    return bool(hooks.registered("register_jobs") or hooks.document_types or hooks.facets)


def run_job(node: Node) -> None:
    """The job: run those that are due, one after the other."""
    for_each(node, JOB, node.hooks.names, partial(_backfill_once, node))
    jobs = {f"{plugin}: {job.name}": (plugin, job) for plugin, job in _registered(node)}
    for_each(node, JOB, jobs, lambda name: _run_if_due(node, *jobs[name]))


def _registered(node: Node) -> Sequence[tuple[str, ScheduledJob]]:
    return node.hooks.registered("register_jobs")


def _run_if_due(node: Node, plugin: str, job: ScheduledJob) -> None:
    """What the plugin itself raises is kept with its job; of what else fails, the job is due again
    as it was.
    """
    if not _is_due(node, plugin, job):
        return
    try:
        _run(node, plugin, job)
    except Exception:
        mine = PluginJob.plugin == plugin, PluginJob.name == job.name
        with node.work(by=JOB) as work:
            work.session.execute(update(PluginJob).where(*mine).values(due_at=now()))
        raise


def schedule_now(work: UnitOfWork, plugin: str, name: str) -> None:
    """Have a plugin's job run after the commit. Raises `KeyError` for none of its jobs."""
    if name not in {job.name for job in work.node.hooks.registered_by(plugin, "register_jobs")}:
        raise KeyError(f"{plugin} has no job {name}")
    if not insert_once(work.session, PluginJob, plugin=plugin, name=name, due_at=now(), error=""):
        work.session.get_one(PluginJob, (plugin, name), with_for_update=True).due_at = now()
    work.wake(JOB)


def _is_due(node: Node, plugin: str, job: ScheduledJob) -> bool:
    """Whether it is time, and no other process was quicker."""
    with node.reading() as session:
        row = session.get(PluginJob, (plugin, job.name))
        if row is not None and row.due_at > now():
            return False
    every = max(job.every, MIN_INTERVAL)
    with node.work(by=JOB) as work:
        key = {"plugin": plugin, "name": job.name}
        if insert_once(work.session, PluginJob, **key, due_at=now() + every, error=""):
            return True
        found = work.session.get_one(PluginJob, (plugin, job.name), with_for_update=True)
        if found.due_at > now():
            return False
        found.due_at = now() + every
        return True


def _run(node: Node, plugin: str, job: ScheduledJob) -> None:
    prepared: tuple[Any, ...] = ()
    error = ""
    if job.prepare is not None:
        given, error = node.hooks.prepare(plugin, job.name, job.prepare)
        prepared = (given,)
    with node.work(by=f"{plugin}: {job.name}") as work:
        if not error:
            act = partial(_call_with_prepared, job.run, prepared)
            _, error = node.hooks.run(work, plugin, job.name, act)
        row = work.session.get_one(PluginJob, (plugin, job.name))
        row.ran_at, row.error = now(), error[:500]


def _call_with_prepared(run: Callable[..., None], prepared: tuple[Any, ...], work: Work) -> None:
    run(work, *prepared)


def _backfill_once(node: Node, plugin: str) -> None:
    """A plugin was switched on: what others published of its types before, nobody sends again, and
    the index does not have its facets.
    """
    hooks, key = node.hooks, {"plugin": plugin, "name": CATCH_UP_JOB}
    with node.reading() as session:
        if session.get(PluginJob, (plugin, CATCH_UP_JOB)) is not None:
            return
    with node.work(by=JOB) as work:
        if not insert_once(work.session, PluginJob, **key, due_at=now(), error=""):
            return
        if hooks.registered_by(plugin, "register_documents"):
            for followed in councils.list_followed(work.session):
                if followed.follow.state == "accepted":
                    backfill.begin(work, followed.council.actor)
        if hooks.registered_by(plugin, "register_facets"):
            indexing.rebuild(work)
