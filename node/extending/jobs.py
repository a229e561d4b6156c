"""What plugins have done again and again, and what is done once when one was switched on."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import update

from node.councils import service as councils
from node.db import insert_once, now
from node.declared import ScheduledJob
from node.extending.models import PluginJob
from node.extending.switches import CATCHING_UP
from node.federating import backfill
from node.hooks import Hooks
from node.isolation import each
from node.runtime import Node, UnitOfWork
from node.search import indexing
from node.shown import Work

JOB = "plugins"
LEAST = timedelta(minutes=1)


def are_there(hooks: Hooks) -> bool:
    """Whether there is anything to do for the plugins that are switched on."""
    return bool(hooks.registered("register_jobs") or hooks.documents or hooks.facets)


def work_off(node: Node) -> None:
    """The job: run those that are due, one after the other."""
    each(node, JOB, node.hooks.names, partial(_catch_up, node))
    jobs = {f"{plugin}: {job.name}": (plugin, job) for plugin, job in _registered(node)}
    each(node, JOB, jobs, lambda name: _run_if_due(node, *jobs[name]))


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


def soon(work: UnitOfWork, plugin: str, name: str) -> None:
    """Have a plugin's job run after the commit. Raises `KeyError` for none of its jobs."""
    if name not in {job.name for job in work.node.hooks.of(plugin, "register_jobs")}:
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
    every = max(job.every, LEAST)
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
            act = partial(_call, job.run, prepared)
            _, error = node.hooks.run(work, plugin, job.name, act)
        row = work.session.get_one(PluginJob, (plugin, job.name))
        row.ran_at, row.error = now(), error[:500]


def _call(run: Callable[..., None], prepared: tuple[Any, ...], work: Work) -> None:
    run(work, *prepared)


def _catch_up(node: Node, plugin: str) -> None:
    """A plugin was switched on: what others published of its types before, nobody sends again, and
    the index does not have its facets.
    """
    hooks, key = node.hooks, {"plugin": plugin, "name": CATCHING_UP}
    with node.reading() as session:
        if session.get(PluginJob, (plugin, CATCHING_UP)) is not None:
            return
    with node.work(by=JOB) as work:
        if not insert_once(work.session, PluginJob, **key, due_at=now(), error=""):
            return
        if hooks.of(plugin, "register_documents"):
            for followed in councils.followed(work.session):
                if followed.follow.state == "accepted":
                    backfill.begin(work, followed.council.actor)
        if hooks.of(plugin, "register_facets"):
            indexing.rebuild(work)
