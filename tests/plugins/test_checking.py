"""What `moothall plugin check` refuses is what a node would have left out, and the other way."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node.database.tables import Base
from node.plugin_admin import jobs
from node.runtime import Node
from tests.cli.conftest import Command

from .conftest import Install
from .test_plugin_migrations import HEAD, REVISION

PAGES = """
from flask import Blueprint

blueprint = Blueprint("orchard", __name__)

@blueprint.get("{address}")
@permission(PUBLIC)
def page(**_values):
    return "apples"

@hookimpl
def register_blueprints(): return [blueprint]
"""


MODELS = """
from sqlalchemy.orm import Mapped, mapped_column
from node.api import Base

class Apple(Base):
    __tablename__ = "orchard__apple"
    id: Mapped[int] = mapped_column(primary_key=True)
    weight: Mapped[int]
"""


@pytest.fixture(autouse=True)
def _no_models_left() -> Iterator[None]:
    """Models of a plugin that was loaded stay known to the process."""
    yield
    for table in [one for one in Base.metadata.sorted_tables if one.name.startswith("orchard__")]:
        Base.metadata.remove(table)


def revise(tmp_path: Path, more: str) -> None:
    """Write the one migration of the plugin, which also does `more`."""
    folder = tmp_path / "installed" / "revisions"
    folder.mkdir()
    (folder / "0001_apples.py").write_text(REVISION.format(more=more))


def refused(moothall: Command) -> str:
    return moothall("plugin", "check", "orchard").refusal


@pytest.mark.parametrize(
    "address, why",
    [
        ("/report", "a page at /report, which is taken"),
        (
            "/projects/<token>/<path:rest>",
            "a page at /projects/<token>/<path:rest>, which is taken",
        ),
        ("/checklists", "a page at /checklists, which is taken"),
        ("/<path:rest>", "a page at /<path:rest>, which would answer for everybody's pages"),
    ],
)
def test_addresses_of_the_core_and_of_other_plugins_are_taken(
    install: Install, moothall: Command, address: str, why: str
) -> None:
    install("orchard", PAGES.format(address=address))
    assert refused(moothall) == (
        f"The plugin orchard cannot be used: register_blueprints: ValueError: {why}"
    )


def test_an_address_of_its_own_is_free(install: Install, moothall: Command) -> None:
    install("orchard", PAGES.format(address="/orchard/<int:number>"))
    checked = moothall("plugin", "check", "orchard")
    assert (checked.code, checked.err) == (0, "")
    assert "Pages: /orchard/<int:number>" in checked.out


def test_an_activity_on_which_the_node_acts_itself_is_reserved(
    install: Install, moothall: Command
) -> None:
    install(
        "orchard",
        """
        @hookimpl
        def register_activities(): return ["Accept"]
        """,
    )
    assert "Accept is an activity that the core handles" in refused(moothall)


def test_models_that_need_more_than_the_migrations_make_are_refused(
    install: Install, moothall: Command, tmp_path: Path
) -> None:
    """The node leaves such a plugin out when it starts, and says why."""
    install("orchard", MODELS, head=HEAD)
    revise(tmp_path, "pass")
    assert "orchard__apple" in refused(moothall)
    listed = moothall("plugin", "list", plugins="orchard").out
    assert "Its migrations do not create all of its models: orchard__apple.weight." in listed


def test_a_migration_that_fails_is_refused(
    install: Install, moothall: Command, tmp_path: Path
) -> None:
    install("orchard", head=HEAD)
    revise(tmp_path, "1 / 0")
    assert "The migrations of orchard failed: ZeroDivisionError" in refused(moothall)


def test_a_job_cannot_use_the_network_inside_its_transaction(
    install: Install, start: Callable[..., Node]
) -> None:
    """It is refused before anything is asked; what `prepare` fetched is given to `run`."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        install(
            "orchard",
            f"""
            import socket

            seen = []

            def fetch():
                with socket.create_connection(("127.0.0.1", {port})):
                    return "an answer"

            def waits(work):
                seen.append("waits")
                fetch()

            def writes(work, prepared):
                seen.append(prepared)

            @hookimpl
            def register_jobs():
                return [
                    ScheduledJob("waits", waits), ScheduledJob("writes", writes, prepare=fetch),
                    ScheduledJob("fails", writes, prepare=lambda: 1 / 0),
                ]
            """,
        )
        node = start("orchard")
        jobs.run_job(node)
    import plugin_orchard  # type: ignore[import-not-found]

    assert plugin_orchard.seen == ["waits", "an answer"]
    assert [failure.hook for failure in node.hooks.failures] == ["waits", "fails"]
    assert "the network cannot be used inside a transaction" in node.hooks.failures[0].error
    assert "ZeroDivisionError" in node.hooks.failures[1].error
