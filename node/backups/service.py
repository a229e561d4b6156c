"""Taking a backup of a running node, checking one, and restoring one into an empty node.

None of it loads the application: a node with a broken plugin can be backed up too.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from sqlalchemy import Engine, create_engine, make_url, update

from node import __version__, running_processes, schema_migrations, settings
from node.backups import archive, databases
from node.backups.archive import BackupError, BackupManifest
from node.councils import service as councils
from node.data_folder import ensure_data_folder, get_secret_key, write_secret_key
from node.db import now
from node.federating import queues
from node.federating.models import Comparison
from node.people import sessions
from node.runtime import Node
from node.settings import Settings

SECRET_MEMBER, SETTINGS_MEMBER = "secret-key", "settings.toml"
DIFFERENT_KEY_REMARK = "secret_key is not that of the backup, so everybody has to sign in again."
# What is true of one machine alone.
LOCAL_SETTINGS = frozenset({"data_dir"})


@dataclass(frozen=True)
class RestoreResult:
    """What was restored, and what the operator should know of it, a sentence each."""

    manifest: BackupManifest
    remarks: tuple[str, ...]


def take_backup(given: Settings, target: Path, passphrase: str = "") -> BackupManifest:
    """Write a backup of the node to the new file `target`, and check it.

    The node may run meanwhile. Raises `BackupError`, and leaves nothing behind then.
    """
    if target.exists():
        raise BackupError(f"{target} exists already. A backup never replaces a file.")
    with _open_engine(given) as engine, _temporary_folder(target.absolute().parent) as folder:
        if databases.is_empty(engine):
            raise BackupError("There is nothing to back up: this node has not been set up yet.")
        kind = engine.dialect.name
        files = {
            name: folder / name
            for name in (databases.DATABASE_MEMBERS[kind], SECRET_MEMBER, SETTINGS_MEMBER)
        }
        databases.copy_database(engine, files[databases.DATABASE_MEMBERS[kind]])
        databases.check_copy(kind, files[databases.DATABASE_MEMBERS[kind]])
        files[SECRET_MEMBER].write_text(get_secret_key(given))
        files[SETTINGS_MEMBER].write_text(_as_toml(given))
        manifest = BackupManifest(
            base_url=given.base_url,
            engine=kind,
            taken_at=now().isoformat(timespec="seconds"),
            version=__version__,
            revisions=databases.revisions(engine),
            files={name: archive.file_digest(path) for name, path in files.items()},
        )
        made = folder / "made"
        archive.write_archive(made, manifest, files, passphrase)
        made.rename(target)
    return manifest


def check_backup(source: Path, passphrase: str = "") -> BackupManifest:
    """Read a backup to its end. Raises `BackupError` unless it can be restored by this version."""
    with tempfile.TemporaryDirectory() as folder:
        return _extract_and_check(source, Path(folder), passphrase)


def restore_backup(source: Path, passphrase: str = "") -> RestoreResult:
    """Make a node of the backup `source`, in the data folder and the database of the settings.

    A machine without a settings file gets the backup's. The next command that opens the node brings
    its database up to date; call `resume` then. Raises `RunningError`, and `BackupError` where the
    node is not empty, or the backup is damaged, of another node or of another kind of database;
    nothing has been changed then.
    """
    at_hand = settings.load()
    with _temporary_folder(ensure_data_folder(at_hand)) as folder:
        manifest = _extract_and_check(source, folder, passphrase)
        with (
            _settings_in_place(folder / SETTINGS_MEMBER) as (given, remarks),
            _open_engine(given) as engine,
        ):
            _require_restorable(manifest, given, engine)
            secret = (folder / SECRET_MEMBER).read_text().strip()
            if not given.secret_key:
                write_secret_key(given, secret)
            elif given.secret_key != secret:
                remarks = (*remarks, DIFFERENT_KEY_REMARK)
            databases.restore_database(engine, folder / databases.DATABASE_MEMBERS[manifest.engine])
    return RestoreResult(manifest, remarks)


def resume_node(node: Node, manifest: BackupManifest) -> None:
    """Have a restored node catch up: what had been begun is begun again, and what peers changed
    since is fetched soon. Sessions that may have been ended since the backup are ended.
    """
    queues.release_all_leases(node)
    with node.work(by="restore") as work:
        waiting = update(Comparison).where(Comparison.state == Comparison.WAITING)
        work.session.execute(waiting.values(due_at=now(), attempts=0))
        sessions.end_sessions_of_all_users(work)
        council = councils.require_own(work.session)
        work.audit("node.restore", council.actor.uri, taken_at=manifest.taken_at)


def _extract_and_check(source: Path, folder: Path, passphrase: str) -> BackupManifest:
    """The manifest of a backup, its files in `folder`."""
    manifest = archive.extract_archive(source, folder, passphrase)
    member = databases.DATABASE_MEMBERS.get(manifest.engine, "")
    if not {member, SECRET_MEMBER, SETTINGS_MEMBER} <= manifest.files.keys():
        raise BackupError(f"{source.name} is damaged: it does not hold a whole node.")
    databases.check_copy(manifest.engine, folder / member)
    if not schema_migrations.is_known_revision(
        manifest.revisions.get(schema_migrations.VERSION_TABLE, "")
    ):
        raise BackupError(
            "This backup was made by a newer version of Moothall"
            f" ({manifest.version}). Install that first."
        )
    return manifest


def _require_restorable(manifest: BackupManifest, given: Settings, engine: Engine) -> None:
    if manifest.base_url != given.base_url:
        raise BackupError(
            f"This backup is of {manifest.base_url}, and base_url is {given.base_url}. Every"
            " federated id begins with base_url, so it must be the same."
        )
    if manifest.engine != engine.dialect.name:
        raise BackupError(
            f"This backup is of a node on {manifest.engine}, and database_url names another kind"
            " of database."
        )
    running_processes.require_stopped(given, engine)
    if not databases.is_empty(engine):
        raise BackupError("This node is not empty. A backup is restored into an empty node only.")


@contextmanager
def _settings_in_place(kept: Path) -> Iterator[tuple[Settings, tuple[str, ...]]]:
    """The settings of the restored node, and what to say of them. A machine without a settings file
    gets `kept`, for good unless an error leaves the block.
    """
    path = settings.settings_path()
    if path.exists():
        yield settings.load(), (f"{path} was left as it is.",)
        return
    shutil.copyfile(kept, path)
    path.chmod(0o600)
    try:
        yield settings.load(), (f"The settings of the backup are in {path}.",)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextmanager
def _open_engine(given: Settings) -> Iterator[Engine]:
    """An engine of the node's database, without the rest of the node."""
    url = make_url(given.sqlalchemy_url)
    if url.get_backend_name() == "sqlite":
        url = url.set(database=str(ensure_data_folder(given).resolve() / (url.database or "")))
    engine = create_engine(url, hide_parameters=True)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _temporary_folder(parent: Path) -> Iterator[Path]:
    """A new folder beside what is written, on the same disk. A full disk ends in `BackupError`."""
    try:
        with tempfile.TemporaryDirectory(dir=parent, prefix=".moothall-") as folder:
            yield Path(folder)
    except OSError as error:
        raise BackupError(f"{parent} cannot be written: {error.strerror or error}.") from error


def _as_toml(given: Settings) -> str:
    """The settings that are not the defaults. What is JSON here is TOML too."""
    lines = ["# The settings of the node when its backup was taken."]
    for item in fields(Settings):
        value = getattr(given, item.name)
        if value != item.default and item.name not in LOCAL_SETTINGS:
            plain = list(value) if isinstance(value, tuple) else value
            lines.append(f"{item.name} = {json.dumps(plain)}")
    return "\n".join([*lines, ""])
