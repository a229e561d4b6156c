"""Runs the scheduled jobs of plugins, and the catch-up after a plugin was enabled."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import update

from node.councils import service as councils
from node.database.tables import insert_once, now
from node.federating.sync import backfill
from node.plugin_admin.enablement import CATCH_UP_JOB_NAME
from node.plugin_admin.models import PluginJob
from node.plugin_api.declarations import ScheduledJob
from node.plugin_api.hooks import Hooks
from node.plugin_api.info import Work
from node.principal import Principal
from node.queue.error_isolation import for_each
from node.runtime import Node, UnitOfWork
from node.search import indexing

JOB = "plugins"
MIN_INTERVAL = timedelta(minutes=1)


def has_work(hooks: Hooks) -> bool:
    """Whether an enabled plugin has jobs, document types or facets."""
    return bool(hooks.list_registered("register_jobs") or hooks.document_types or hooks.facets)


def run_job(node: Node) -> None:
    """The job: let newly enabled plugins catch up, then run the plugin jobs that are due."""
    for_each(node, JOB, node.hooks.plugin_names, partial(_backfill_once, node))
    jobs = {f"{plugin}: {job.name}": (plugin, job) for plugin, job in _list_registered(node)}
    for_each(node, JOB, jobs, lambda name: _run_if_due(node, *jobs[name]))


def _list_registered(node: Node) -> Sequence[tuple[str, ScheduledJob]]:
    return node.hooks.list_registered("register_jobs")


def _run_if_due(node: Node, plugin: str, job: ScheduledJob) -> None:
    """Run a plugin's job if it is due. Errors of the plugin are stored with the job; after any
    other error the job is due again at once.
    """
    if not _claim_if_due(node, plugin, job):
        return
    try:
        _run_plugin_job(node, plugin, job)
    except Exception:
        is_job = PluginJob.plugin == plugin, PluginJob.name == job.name
        with node.work(by=Principal.job(JOB)) as work:
            work.session.execute(update(PluginJob).where(*is_job).values(due_at=now()))
        raise


def schedule_now(work: UnitOfWork, plugin: str, name: str) -> None:
    """Make a plugin's job due, and run it after the commit. Raises `KeyError` if the plugin has no
    such job.
    """
    if name not in {
        job.name for job in work.node.hooks.list_registered_by(plugin, "register_jobs")
    }:
        raise KeyError(f"{plugin} has no job {name}")
    if not insert_once(work.session, PluginJob, plugin=plugin, name=name, due_at=now(), error=""):
        work.session.get_one(PluginJob, (plugin, name), with_for_update=True).due_at = now()
    work.wake(JOB)


def _claim_if_due(node: Node, plugin: str, job: ScheduledJob) -> bool:
    """Whether the job is due and this process claimed it. Sets the time of the next run."""
    with node.reading() as session:
        row = session.get(PluginJob, (plugin, job.name))
        if row is not None and row.due_at > now():
            return False
    interval = max(job.interval, MIN_INTERVAL)
    with node.work(by=Principal.job(JOB)) as work:
        key = {"plugin": plugin, "name": job.name}
        if insert_once(work.session, PluginJob, **key, due_at=now() + interval, error=""):
            return True
        row = work.session.get_one(PluginJob, (plugin, job.name), with_for_update=True)
        if row.due_at > now():
            return False
        row.due_at = now() + interval
        return True


def _run_plugin_job(node: Node, plugin: str, job: ScheduledJob) -> None:
    arguments: tuple[Any, ...] = ()
    error = ""
    if job.prepare is not None:
        prepared_value, error = node.hooks.prepare(plugin, job.name, job.prepare)
        arguments = (prepared_value,)
    with node.work(by=Principal.job(f"{plugin}: {job.name}")) as work:
        if not error:
            call = partial(_call_job, job.run, arguments)
            _, error = node.hooks.run(work, plugin, job.name, call)
        row = work.session.get_one(PluginJob, (plugin, job.name))
        row.ran_at, row.error = now(), error[:500]


def _call_job(run: Callable[..., None], arguments: tuple[Any, ...], work: Work) -> None:
    run(work, *arguments)


def _backfill_once(node: Node, plugin: str) -> None:
    """Let a newly enabled plugin catch up, once.

    Peers do not send again what they published while the plugin was disabled, and the index lacks
    its facets: so the councils that we follow are backfilled and the index is rebuilt.
    """
    hooks, key = node.hooks, {"plugin": plugin, "name": CATCH_UP_JOB_NAME}
    with node.reading() as session:
        if session.get(PluginJob, (plugin, CATCH_UP_JOB_NAME)) is not None:
            return
    with node.work(by=Principal.job(JOB)) as work:
        if not insert_once(work.session, PluginJob, **key, due_at=now(), error=""):
            return
        if hooks.list_registered_by(plugin, "register_documents"):
            for followed in councils.list_followed(work.session):
                if followed.follow.state == "accepted":
                    backfill.start(work, followed.council.actor)
        if hooks.list_registered_by(plugin, "register_facets"):
            indexing.rebuild(work)
