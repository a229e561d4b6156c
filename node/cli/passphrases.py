"""The passphrase of a backup: from the environment, or asked for where somebody can type."""

import os
from pathlib import Path

import click

from node.backups.archive import is_encrypted
from node.settings import PASSPHRASE_VARIABLE

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def new_passphrase(ask: bool) -> str:
    """What to encrypt a new backup with; empty where it is not to be encrypted."""
    given = os.environ.get(PASSPHRASE_VARIABLE, "")
    if given or not ask:
        return given
    answer: str = click.prompt("Passphrase", hide_input=True, confirmation_prompt=True)
    return answer


def passphrase_for(backup: Path) -> str:
    """What a backup is decrypted with; empty where it is not encrypted. Raises `BackupError`."""
    if not is_encrypted(backup):
        return ""
    given = os.environ.get(PASSPHRASE_VARIABLE)
    answer: str = given or click.prompt("Passphrase", hide_input=True)
    return answer
