"""The data folder, and the secret key that is kept in it."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from node.errors import SettingsError
from node.settings import Settings
from node.settings_validation import MIN_SECRET_BYTES

SECRET_FILE = "secret-key"  # noqa: S105 -- a name
GROUP_AND_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def get_secret_key(settings: Settings) -> str:
    """The secret key: the one that is set, else the one in the data folder, made on first use."""
    if settings.secret_key:
        return settings.secret_key
    path = ensure_data_folder(settings) / SECRET_FILE
    try:
        if not path.exists():
            _create_secret_file(path)
        secret = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise SettingsError(
            f"The data folder {settings.data_dir} cannot be used: {error.strerror}."
        ) from error
    except UnicodeDecodeError:
        secret = ""
    if len(secret) < MIN_SECRET_BYTES:
        raise SettingsError(f"The secret key in {path} is damaged. Bring it back from a backup.")
    return secret


def write_secret_key(settings: Settings, secret: str) -> None:
    """Put a secret key that was kept elsewhere in the place of the one in the data folder."""
    path = ensure_data_folder(settings) / SECRET_FILE
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(secret)


def ensure_data_folder(settings: Settings) -> Path:
    """The data folder, made if need be. It holds keys, so nobody else may look into it.

    One that others may look into is closed to them if it is this account's, and not a folder that
    all share, such as /tmp. Raises `SettingsError` where it cannot be made.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = settings.data_dir.stat()
        is_ours = found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX
        if is_ours and found.st_mode & GROUP_AND_OTHERS:
            settings.data_dir.chmod(0o700)
    except OSError as error:
        raise SettingsError(
            f"The data folder {settings.data_dir} cannot be made: {error.strerror}."
        ) from error
    return settings.data_dir


def _create_secret_file(path: Path) -> None:
    """Several processes may start at once: whichever is first, all find one and the same, whole."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    fresh.touch(mode=0o600)
    fresh.write_text(secrets.token_hex(32))
    with suppress(FileExistsError):
        path.hardlink_to(fresh)
    fresh.unlink()
