"""The data folder, and the secret key stored in it."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from node.errors import SettingsError
from node.settings import Settings
from node.settings_validation import MIN_SECRET_BYTES

SECRET_FILE = "secret-key"  # noqa: S105 -- a name
GROUP_AND_OTHERS_MODE = stat.S_IRWXG | stat.S_IRWXO


def get_secret_key(settings: Settings) -> str:
    """The secret key of the settings, or else that in the data folder, created on first use.

    Raises `SettingsError` if the folder or the key in it cannot be used.
    """
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
        raise SettingsError(f"The secret key in {path} is damaged. Restore it from a backup.")
    return secret


def write_secret_key(settings: Settings, secret: str) -> None:
    """Replace the secret key in the data folder, as when a backup is restored."""
    path = ensure_data_folder(settings) / SECRET_FILE
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(secret)


def ensure_data_folder(settings: Settings) -> Path:
    """Create the data folder unless it exists, and return its path. It holds keys, so only this
    account may read it.

    An existing folder is closed to other accounts if it belongs to this one and is not shared by
    design, such as /tmp. Raises `SettingsError` if it cannot be created.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = settings.data_dir.stat()
        is_ours = status.st_uid == os.geteuid() and not status.st_mode & stat.S_ISVTX
        if is_ours and status.st_mode & GROUP_AND_OTHERS_MODE:
            settings.data_dir.chmod(0o700)
    except OSError as error:
        raise SettingsError(
            f"The data folder {settings.data_dir} cannot be created: {error.strerror}."
        ) from error
    return settings.data_dir


def ensure_subfolder(settings: Settings, name: str) -> Path:
    """Create a folder in the data folder unless it exists. Raises `SettingsError`."""
    folder = settings.data_dir / name
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(f"The data folder {settings.data_dir} is not writable.") from error
    return folder


def _create_secret_file(path: Path) -> None:
    """Create the file atomically: if several processes start at once, all read the same key."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    temporary.touch(mode=0o600)
    temporary.write_text(secrets.token_hex(32))
    with suppress(FileExistsError):
        path.hardlink_to(temporary)
    temporary.unlink()
