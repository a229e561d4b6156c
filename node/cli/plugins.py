"""Commands for plugins: list, check, enable, disable and purge them, and those that they add."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from node import logs, schema_migrations, settings
from node.app import create_app, get_node
from node.cli.node_context import COMMAND_LINE, open_node
from node.errors import MoothallError
from node.plugin_admin import enablement, scaffold, service
from node.runtime import Node
from node.settings import Settings

RESTART_HINT = "It takes effect when each process of the server is restarted."


@click.group()
def plugin() -> None:
    """Manage plugins."""


@plugin.command("list")
def list_command() -> None:
    """List plugins that are installed, enabled or have data: name, version, state."""
    with open_node() as node, node.reading() as session:
        for item in service.list_plugins(node, session):
            line = (item.name, item.version or "-", item.state, item.problem)
            click.echo("\t".join(line).rstrip())


@plugin.command()
@click.argument("name")
def check(name: str) -> None:
    """Check the plugin NAME on a temporary server, and list what it adds."""
    loaded = settings.load()
    logs.configure(loaded)
    logging.disable()  # problems are printed in one line
    try:
        hooks = service.load_in_isolation(name)
        problems = _check_on_scratch_node(loaded, name)
    finally:
        logging.disable(logging.NOTSET)
    details = hooks.details[0]
    if problems:
        raise MoothallError(f"The plugin {name} cannot be used: {'; '.join(problems)}")
    click.echo(
        f"{name} {details.version} works with version {details.api_version} of the plugin interface"
    )
    for item in service.list_contributions(hooks, name, ()):
        click.echo(f"{item.label}: {', '.join(map(str, item.items))}")


def _check_on_scratch_node(node_settings: Settings, name: str) -> list[str]:
    """The problems of a plugin on a temporary node with the plugins of the settings: with its
    declarations, routes, migrations and tables.
    """
    with tempfile.TemporaryDirectory() as folder:
        scratch = replace(
            node_settings,
            data_dir=Path(folder),
            database_url="",
            jobs="memory",
            plugins=(*(other for other in node_settings.plugins if other != name), name),
        )
        node = get_node(create_app(scratch))
        try:
            schema_migrations.upgrade(node.engine, node.hooks)
            differences = schema_migrations.find_schema_differences(node.engine, node.hooks)
        except schema_migrations.MigrationError as error:
            differences = [f"{error.owner}: {error.safe_text}"]
        finally:
            node.engine.dispose()
        failures = [item for item in node.hooks.failures if item.plugin == name]
        skipped = [item.reason for item in node.hooks.skipped if item.name == name]
    drift = [item for item in differences if item.startswith(f"{name}: ")]
    return [*skipped, *(f"{item.hook}: {item.error}" for item in failures), *drift]


@plugin.command()
@click.argument("name")
def enable(name: str) -> None:
    """Enable the plugin NAME."""
    with _open_without_plugin(name) as node, node.work(by=COMMAND_LINE) as work:
        enablement.enable(work, name)
    click.echo(f"{name} is switched on. {RESTART_HINT}")


@plugin.command()
@click.argument("name")
def disable(name: str) -> None:
    """Disable the plugin NAME. Its data is kept."""
    with _open_without_plugin(name) as node, node.work(by=COMMAND_LINE) as work:
        enablement.disable(work, name)
    click.echo(f"{name} is switched off. Its data is kept. {RESTART_HINT}")


@plugin.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def purge(name: str, yes: bool) -> None:
    """Permanently delete the data of the plugin NAME, which must be disabled."""
    if not yes:
        click.confirm(f"Permanently delete all data of {name}?", abort=True)
    with _open_without_plugin(name) as node:
        dropped = service.purge(node, name, COMMAND_LINE)
    click.echo(f"Deleted all data of {name}. Tables: {', '.join(dropped) or 'none'}")


@plugin.command()
@click.argument("name")
@click.option(
    "--into",
    default=".",
    show_default=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder in which to create the plugin's folder.",
)
def new(name: str, into: Path) -> None:
    """Create a working plugin called NAME, with a test."""
    for path in scaffold.create_plugin(name, into):
        click.echo(path)


@contextmanager
def _open_without_plugin(name: str) -> Iterator[Node]:
    """The node without the plugin, so that a plugin that stops the node can be disabled."""
    reason = f"The plugin {name} is not used by this command."
    with open_node(excluded_plugins={name: reason}) as node:
        yield node


class PluginCommands(click.Group):
    """The commands that a plugin adds. The node is opened when they are listed or one is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._load_commands(ctx))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self._load_commands(ctx).get(cmd_name)

    def _load_commands(self, ctx: click.Context) -> dict[str, click.Command]:
        if "commands" not in ctx.meta:
            node = ctx.with_resource(open_node())
            if self.name not in node.hooks.plugin_names:
                raise MoothallError(
                    f"The plugin {self.name} is not running. See `moothall plugin list`."
                )
            registered = node.hooks.list_registered_by(self.name or "", "register_commands")
            ctx.meta["commands"] = {command.name: command for command in registered}
        commands: dict[str, click.Command] = ctx.meta["commands"]
        return commands


COMMANDS = (plugin,)
