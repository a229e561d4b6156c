"""Every hook, in a test of its name; and that a plugin which fails stops nobody."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug.routing import Map

from node.audit import AuditEntry
from node.cli import lifecycle
from node.errors import InvalidInputError
from node.plugin_admin import failures, jobs, setting_values
from node.plugin_admin.models import PluginJob
from node.plugin_api.declarations import NavigationItem, Permission
from node.plugin_api.hooks import Hooks
from node.plugin_api.info import ProjectInfo
from node.principal import Principal
from node.runtime import Node, UnitOfWork
from node.settings import Settings

from .conftest import Install

PROJECT = ProjectInfo(
    token="abc",
    uri="https://there.example/projects/1",
    url="https://there.example/projects/1",
    title="Bins",
    summary="Know when yours is emptied",
    phase="alpha",
    council_name="Brackwell Council",
    is_local=False,
)


def render(template: str, **context: object) -> str:
    return f"<p>{template} {context}</p>"


def test_plugin_details(install: Install) -> None:
    install("orchard")
    (details,) = Hooks(Settings(plugins=("orchard",))).details
    assert (details.name, details.version, details.migrations) == ("orchard", "1.0", None)


def test_register_blueprints(install: Install, start: Callable[..., Node]) -> None:
    install(
        "orchard", "@hookimpl\ndef register_blueprints(): return [Blueprint('orchard', 'orchard')]"
    )
    hooks = start("orchard").hooks
    first, second = (hooks.blueprints(Map()) for _ in range(2))
    assert [item.name for item in first] == ["orchard"]
    assert first[0] is not second[0]


def test_register_blueprints_named_after_another_are_left_out(install: Install) -> None:
    install("orchard", "@hookimpl\ndef register_blueprints(): return [Blueprint('projects', 'x')]")
    hooks = Hooks(Settings(plugins=("orchard", "checklists")))
    assert [item.name for item in hooks.blueprints(Map())] == ["checklists"]
    assert [failure.plugin for failure in hooks.failures] == ["orchard"]


def test_register_navigation(install: Install) -> None:
    install(
        "orchard",
        """
        @hookimpl
        def register_navigation():
            return [NavigationItem("Orchard", "orchard.index", "orchard.pick")]
        """,
    )
    hooks = Hooks(Settings(plugins=("orchard",)))
    assert hooks.navigation == (NavigationItem("Orchard", "orchard.index", "orchard.pick"),)


def test_register_permissions(install: Install) -> None:
    install(
        "orchard",
        """
        @hookimpl
        def register_permissions():
            return [Permission("orchard.pick", "Pick", frozenset({"officer"}))]
        """,
    )
    hooks = Hooks(Settings(plugins=("orchard",)))
    assert hooks.permissions == (Permission("orchard.pick", "Pick", frozenset({"officer"})),)


def test_project_sections(install: Install, start: Callable[..., Node]) -> None:
    install(
        "orchard",
        """
        @hookimpl
        def project_sections(project):
            return [Section("Apples", "orchard/apples.html", {"of": project.title})]
        """,
    )
    node = start("orchard")
    with node.work(Principal.job("a test")) as work:
        (section,) = node.hooks.project_sections(work, PROJECT, render)
    assert (section.plugin, section.heading) == ("orchard", "Apples")
    assert section.html == "<p>orchard/apples.html {'of': 'Bins'}</p>"


def test_project_deleted(install: Install, start: Callable[..., Node]) -> None:
    install(
        "orchard",
        """
        @hookimpl
        def project_deleted(project, work):
            work.audit("forget", project.uri, title=project.title)
        """,
    )
    node = start("orchard")
    with node.work(Principal.person(1, "someone@council.example")) as work:
        node.hooks.project_deleted(work, PROJECT)
    with node.reading() as session:
        entry = session.scalars(select(AuditEntry)).one()
    assert (entry.by_id, entry.via) == ("1", "plugin")
    assert (entry.by, entry.action, entry.subject, entry.details) == (
        "someone@council.example",
        "orchard.forget",
        PROJECT.uri,
        {"title": "Bins"},
    )


def test_register_documents(install: Install) -> None:
    install(
        "orchard",
        """
        @hookimpl
        def register_documents(): return [DocumentType("OrchardReport", "A report", ())]
        """,
    )
    install(
        "meadow",
        """
        @hookimpl
        def register_documents(): return [DocumentType("OrchardReport", "Another", ())]
        """,
    )
    documents = Hooks(Settings(plugins=("orchard", "meadow"))).document_types
    assert {name: plugin for name, (plugin, _kind) in documents.items()} == {
        "OrchardReport": "orchard"
    }


def test_register_activities(install: Install, start: Callable[..., Node]) -> None:
    """Those on which the node acts itself are not given away."""
    install("orchard", "@hookimpl\ndef register_activities(): return ['Offer', 'Follow']")
    node = start("orchard")
    taken = [key for key in node.handlers.by_kind if key[0] == "Offer"]
    assert taken == [("Offer", "")]
    (failure,) = node.hooks.failures
    assert "Follow" in failure.error


def test_register_settings(install: Install, start: Callable[..., Node]) -> None:
    install(
        "orchard",
        """
        @hookimpl
        def register_settings():
            rows = Setting("rows", "Rows", 3, "number", maximum=10)
            return [rows, Setting("ripe", "Ripe", True, "yes_no")]

        @hookimpl
        def desk_steps(work):
            work.audit("saw", "it", rows=setting(work, "rows"), ripe=setting(work, "ripe"))
        """,
    )
    node = start("orchard")
    with node.work(Principal.job("someone")) as work:
        node.hooks.call(work, "desk_steps", person=None)
        setting_values.set_values(work, "orchard", {"rows": "7", "ripe": False})
        node.hooks.call(work, "desk_steps", person=None)
        with pytest.raises(InvalidInputError) as caught:
            setting_values.set_values(work, "orchard", {"rows": "11", "ripe": True})
    assert set(caught.value.fields) == {"rows"}
    with node.reading() as session:
        saw = select(AuditEntry.details).where(AuditEntry.action == "orchard.saw")
        assert session.scalars(saw.order_by(AuditEntry.id)).all() == [
            {"rows": 3, "ripe": True},
            {"rows": 7, "ripe": False},
        ]


def test_register_jobs(install: Install, start: Callable[..., Node]) -> None:
    """A job runs once when it is due, in a transaction of its own; what one raises is kept."""
    install(
        "orchard",
        """
        def pick(work): work.audit("picked", "apples")
        def fall(work):
            work.audit("fell", "apples")
            raise ValueError("too ripe")

        @hookimpl
        def register_jobs(): return [ScheduledJob("fall", fall), ScheduledJob("pick", pick)]
        """,
    )
    node = start("orchard")
    jobs.run_job(node)
    jobs.run_job(node)
    with node.work(Principal.job("someone")) as work:
        jobs.schedule_now(work, "orchard", "pick")
    jobs.run_job(node)
    with node.reading() as session:
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
        rows = session.scalars(select(PluginJob).where(PluginJob.ran_at.is_not(None))).all()
        kept = [(item.hook, item.error) for item in failures.list_failures(session, "orchard")]
    assert actions == ["orchard.picked", "orchard.picked"]
    assert {row.name: row.error for row in rows} == {"fall": "ValueError: too ripe", "pick": ""}
    assert kept == [("fall", "ValueError: too ripe")]


def test_register_checks(install: Install, start: Callable[..., Node]) -> None:
    install(
        "orchard",
        """
        @hookimpl
        def register_checks():
            rain = Check("it rained", lambda work: 1 / 0)
            return [Check("the fence stands", lambda work: ""), rain]
        """,
    )
    node = start("orchard")
    assert lifecycle.check_plugins(node) == [
        ("the plugin orchard can be used", ""),
        ("orchard: the fence stands", ""),
        ("orchard: it rained", "ZeroDivisionError: division by zero"),
    ]


def test_register_commands(install: Install) -> None:
    install(
        "orchard",
        """
        import click

        @hookimpl
        def register_commands(): return [click.Command("pick")]
        """,
    )
    ((plugin, command),) = Hooks(Settings(plugins=("orchard",))).list_registered(
        "register_commands"
    )
    assert (plugin, command.name) == ("orchard", "pick")


@pytest.mark.parametrize(
    "deed",
    [
        pytest.param("1 / 0", id="an error"),
        pytest.param("work.session.execute(text('SELECT * FROM nowhere'))", id="a failing query"),
        pytest.param("work.session.execute(text(INSERT)); 1 / 0", id="after writing"),
        pytest.param(
            "work.audit('a', 'b'); work.session.rollback(); 1 / 0", id="after rolling back"
        ),
    ],
)
def test_a_plugin_that_fails_is_undone_alone(
    install: Install, start: Callable[..., Node], deed: str
) -> None:
    install("orchard", f"{INSERT}\n@hookimpl\ndef project_deleted(project, work):\n    {deed}")
    install("meadow", "@hookimpl\ndef project_deleted(work): work.audit('mow', 'the meadow')")
    node = start("orchard", "meadow")
    with node.work(Principal.job("someone")) as work:
        work.audit("before", "all")
        node.hooks.project_deleted(work, PROJECT)
        work.audit("after", "all")
    with node.reading() as session:
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
        peers = session.execute(text("SELECT count(*) FROM deleted")).scalar_one()
    assert actions == ["before", "meadow.mow", "after"]
    assert peers == 0
    (failure,) = node.hooks.failures
    assert (failure.plugin, failure.hook) == ("orchard", "project_deleted")


def test_a_section_that_cannot_be_rendered_is_left_out(
    install: Install, start: Callable[..., Node]
) -> None:
    section = "@hookimpl\ndef project_sections(): return [Section('A', '{}')]"
    install("orchard", section.format("missing.html"))
    install("meadow", section.format("there.html"))
    node = start("orchard", "meadow")

    def render_or_fail(template: str) -> str:
        if template == "missing.html":
            raise FileNotFoundError(template)
        return template

    with node.work(Principal.job("someone")) as work:
        sections = node.hooks.project_sections(work, PROJECT, render_or_fail)
    assert [item.plugin for item in sections] == ["meadow"]
    assert node.hooks.failures[0].error == "FileNotFoundError: missing.html"


def test_a_plugin_cannot_commit_for_the_node(install: Install, start: Callable[..., Node]) -> None:
    install("orchard", "@hookimpl\ndef project_deleted(work): work.session.commit()")
    node = start("orchard")
    with Session(node.engine) as session:
        work = UnitOfWork(node, session, Principal.job("someone"))
        work.audit("before", "all")
        node.hooks.project_deleted(work, PROJECT)
        session.rollback()
    with node.reading() as session:
        assert session.scalars(select(AuditEntry)).all() == []


def test_only_the_last_failures_are_kept(install: Install, start: Callable[..., Node]) -> None:
    install("orchard", "@hookimpl\ndef project_deleted(): 1 / 0")
    node = start("orchard")
    with node.work(Principal.job("someone")) as work:
        for _ in range(60):
            node.hooks.project_deleted(work, PROJECT)
    assert len(node.hooks.failures) == 50


INSERT = """
from sqlalchemy import text
INSERT = "INSERT INTO deleted (uri, by_actor, at) VALUES ('a', 'b', '2026-01-01')"
"""
