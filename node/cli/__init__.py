"""The command `moothall`."""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click
from sqlalchemy.exc import DBAPIError

from node import __version__
from node.cli import (
    backups,
    councils,
    demo,
    importing,
    lifecycle,
    mail,
    operating,
    peers,
    people,
    plugins,
    projects,
    search,
    sync,
    tokens,
)
from node.errors import InvalidInputError, MoothallError
from node.plugin_api.loader import installed_plugins


class MoothallCommands(click.Group):
    """The core's commands, and a group of commands for each plugin."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *installed_plugins()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        if own is not None or cmd_name not in installed_plugins():
            return own
        return plugins.PluginCommands(cmd_name, help=f"Commands of the plugin {cmd_name}.")


@click.group(cls=MoothallCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="moothall")
def moothall() -> None:
    """Run and manage a council's server. Settings: moothall.toml and MOOTHALL_… variables."""


for group in (
    search,
    lifecycle,
    people,
    tokens,
    councils,
    peers,
    projects,
    importing,
    sync,
    operating,
    backups,
    mail,
    plugins,
    demo,
):
    for command in group.COMMANDS:
        moothall.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command. An error is printed in one line, with an exit code that is not 0.

    Files that commands create contain keys and passwords, so the umask keeps other accounts out.
    """
    os.umask(0o077)
    try:
        code = moothall.main(args=arguments, prog_name="moothall", standalone_mode=False)
    except click.exceptions.Abort:
        fail("Stopped.", 130)
    except click.ClickException as error:
        fail(error.format_message(), error.exit_code)
    except InvalidInputError as error:
        fail(
            " ".join(
                [
                    error.safe_text,
                    *(f"{name}: {str(text).rstrip('.')}." for name, text in error.fields.items()),
                ]
            )
        )
    except MoothallError as error:
        fail(error.safe_text)
    except DBAPIError as error:
        fail(f"The database returned an error: {error.orig}")
    except BrokenPipeError:
        _exit_on_broken_pipe()
    sys.exit(code if isinstance(code, int) else 0)


def fail(text: str, code: int = 1) -> NoReturn:
    """Print an error in one line and exit."""
    click.echo(f"moothall: {' '.join(text.split())}", err=True)
    sys.exit(code)


def _exit_on_broken_pipe() -> NoReturn:
    """Exit quietly after the reader of our output, such as `head`, has closed the pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)
