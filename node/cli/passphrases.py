"""Gets the passphrase of a backup from the environment or a prompt."""

import os
from pathlib import Path

import click

from node.backups.archive import is_encrypted
from node.settings import PASSPHRASE_VARIABLE

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def get_new_passphrase(ask: bool) -> str:
    """The passphrase for a new backup; empty for a backup without encryption."""
    passphrase = os.environ.get(PASSPHRASE_VARIABLE, "")
    if passphrase or not ask:
        return passphrase
    answer: str = click.prompt("Passphrase", hide_input=True, confirmation_prompt=True)
    return answer


def get_passphrase(backup: Path) -> str:
    """The passphrase of an existing backup; empty if it is not encrypted. Raises `BackupError`."""
    if not is_encrypted(backup):
        return ""
    passphrase = os.environ.get(PASSPHRASE_VARIABLE)
    answer: str = passphrase or click.prompt("Passphrase", hide_input=True)
    return answer
