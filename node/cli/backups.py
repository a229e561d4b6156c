"""Commands that back up a node to one file, and restore it."""

from pathlib import Path

import click

from node import settings
from node.backups import service
from node.cli.lifecycle import print_findings, run_checks
from node.cli.node_context import open_node
from node.cli.passphrases import EXISTING_FILE, get_new_passphrase, get_passphrase


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--encrypt",
    is_flag=True,
    help="Ask for a passphrase, unless MOOTHALL_BACKUP_PASSPHRASE is set.",
)
def backup(file: Path, encrypt: bool) -> None:
    """Back up the server to the new FILE: database, keys and settings. The server may be running.

    With a passphrase (MOOTHALL_BACKUP_PASSPHRASE, or --encrypt) the file is encrypted. Without one,
    anyone who can read the file has the server's keys and passwords.
    """
    manifest = service.take_backup(settings.load(), file, get_new_passphrase(encrypt))
    click.echo(f"Backed up {manifest.base_url} to {file}")


@click.command()
@click.argument("file", type=EXISTING_FILE)
def restore(file: Path) -> None:
    """Restore the backup FILE to an empty data folder and database, and check the server.

    If there is no settings file, the one in the backup is restored too.
    """
    restored = service.restore_backup(file, get_passphrase(file))
    with open_node() as node:
        service.resume_node(node, restored.manifest)
        findings = run_checks(node)
    click.echo(f"Restored {restored.manifest.base_url} as it was at {restored.manifest.taken_at}")
    for remark in restored.remarks:
        click.echo(remark)
    print_findings(findings)


COMMANDS = (backup, restore)
