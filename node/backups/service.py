"""Takes a backup of a running node, checks a backup, and restores one into an empty node.

Nothing here loads the application, so a node with a broken plugin can be backed up too.
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
from node.database.tables import now
from node.federating.models import Comparison
from node.people import sessions
from node.principal import Principal
from node.queue import leases
from node.runtime import Node
from node.settings import Settings

SECRET_MEMBER, SETTINGS_MEMBER = "secret-key", "settings.toml"
DIFFERENT_KEY_REMARK = "secret_key is not that of the backup, so everyone has to sign in again."
# Settings that only make sense on the machine where the backup was taken.
LOCAL_SETTINGS = frozenset({"data_dir"})


@dataclass(frozen=True)
class RestoreResult:
    """What was restored, with remarks for the operator: one sentence each."""

    manifest: BackupManifest
    remarks: tuple[str, ...]


def take_backup(node_settings: Settings, target: Path, passphrase: str = "") -> BackupManifest:
    """Write a backup of the node to the new file `target`, and check it.

    The node may keep running. Raises `BackupError` and leaves no files behind.
    """
    if target.exists():
        raise BackupError(f"{target} already exists. Choose a new file name.")
    with (
        _open_engine(node_settings) as engine,
        _temporary_folder(target.absolute().parent) as folder,
    ):
        if databases.is_empty(engine):
            raise BackupError("There is nothing to back up: this server has not been set up yet.")
        engine_name = engine.dialect.name
        files = {
            name: folder / name
            for name in (databases.DATABASE_MEMBERS[engine_name], SECRET_MEMBER, SETTINGS_MEMBER)
        }
        databases.copy_database(engine, files[databases.DATABASE_MEMBERS[engine_name]])
        databases.check_copy(engine_name, files[databases.DATABASE_MEMBERS[engine_name]])
        files[SECRET_MEMBER].write_text(get_secret_key(node_settings))
        files[SETTINGS_MEMBER].write_text(_settings_to_toml(node_settings))
        manifest = BackupManifest(
            base_url=node_settings.base_url,
            engine=engine_name,
            taken_at=now().isoformat(timespec="seconds"),
            version=__version__,
            revisions=databases.list_revisions(engine),
            files={name: archive.file_digest(path) for name, path in files.items()},
        )
        archive_path = folder / "archive"
        archive.write_archive(archive_path, manifest, files, passphrase)
        archive_path.rename(target)
    return manifest


def check_backup(source: Path, passphrase: str = "") -> BackupManifest:
    """Read a backup to its end. Raises `BackupError` unless this version can restore it."""
    with tempfile.TemporaryDirectory() as folder:
        return _extract_and_check(source, Path(folder), passphrase)


def restore_backup(source: Path, passphrase: str = "") -> RestoreResult:
    """Restore the node in `source` to the data folder and the database in the settings.

    If this machine has no settings file, it gets the one in the backup. The next command that opens
    the node migrates its database; call `resume_node` after that. Raises `RunningError` if the node
    runs, and `BackupError` if the node is not empty, or the backup is damaged or belongs to another
    node or another database engine. Nothing has been changed when one of these is raised.
    """
    current_settings = settings.load()
    with _temporary_folder(ensure_data_folder(current_settings)) as folder:
        manifest = _extract_and_check(source, folder, passphrase)
        with (
            _installed_settings(folder / SETTINGS_MEMBER) as (node_settings, remarks),
            _open_engine(node_settings) as engine,
        ):
            _require_restorable(manifest, node_settings, engine)
            backup_key = (folder / SECRET_MEMBER).read_text().strip()
            if not node_settings.secret_key:
                write_secret_key(node_settings, backup_key)
            elif node_settings.secret_key != backup_key:
                remarks = (*remarks, DIFFERENT_KEY_REMARK)
            databases.restore_database(engine, folder / databases.DATABASE_MEMBERS[manifest.engine])
    return RestoreResult(manifest, remarks)


def resume_node(node: Node, manifest: BackupManifest) -> None:
    """Make a restored node catch up: release leases taken before the backup, compare with all peers
    soon, and end all sessions, because some may have been ended since the backup was taken.
    """
    leases.release_all_leases(node)
    with node.work(by=Principal.command("restore")) as work:
        pending_comparisons = update(Comparison).where(Comparison.state == Comparison.WAITING_STATE)
        work.session.execute(pending_comparisons.values(due_at=now(), attempts=0))
        sessions.end_sessions_of_all_users(work)
        council = councils.require_own(work.session)
        work.audit("node.restore", council.actor.uri, taken_at=manifest.taken_at)


def _extract_and_check(source: Path, folder: Path, passphrase: str) -> BackupManifest:
    """Extract a backup into `folder` and check that it is complete. Returns its manifest."""
    manifest = archive.extract_archive(source, folder, passphrase)
    member = databases.DATABASE_MEMBERS.get(manifest.engine, "")
    if not {member, SECRET_MEMBER, SETTINGS_MEMBER} <= manifest.files.keys():
        raise BackupError(f"{source.name} is damaged: it does not contain a whole server.")
    databases.check_copy(manifest.engine, folder / member)
    revision = manifest.revisions.get(schema_migrations.VERSION_TABLE, "")
    if schema_migrations.is_before_first_version(revision):
        raise BackupError(
            f"This backup is at migration {revision}, from before version 0.1.0. Restore it with"
            " the last version before 0.1.0, and make a new backup with that version."
        )
    if not schema_migrations.is_known_revision(revision):
        raise BackupError(
            "This backup was made by a newer version of Moothall"
            f" ({manifest.version}). Install that version first."
        )
    return manifest


def _require_restorable(manifest: BackupManifest, node_settings: Settings, engine: Engine) -> None:
    if manifest.base_url != node_settings.base_url:
        raise BackupError(
            f"This backup is of {manifest.base_url}, and base_url is {node_settings.base_url}."
            " Every federated id begins with base_url, so it must be the same."
        )
    if manifest.engine != engine.dialect.name:
        raise BackupError(
            f"This backup is of a server on {manifest.engine}, and database_url names another kind"
            " of database."
        )
    running_processes.require_stopped(node_settings, engine)
    if not databases.is_empty(engine):
        raise BackupError(
            "This server is not empty. A backup can only be restored to an empty server."
        )


@contextmanager
def _installed_settings(backed_up: Path) -> Iterator[tuple[Settings, tuple[str, ...]]]:
    """The settings of the restored node, with remarks for the operator.

    A machine without a settings file gets `backed_up`; the file is removed again if the block
    raises.
    """
    path = settings.settings_path()
    if path.exists():
        yield settings.load(), (f"{path} was kept.",)
        return
    shutil.copyfile(backed_up, path)
    path.chmod(0o600)
    try:
        yield settings.load(), (f"The settings of the backup are in {path}.",)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextmanager
def _open_engine(node_settings: Settings) -> Iterator[Engine]:
    """An engine for the node's database, without opening the rest of the node."""
    url = make_url(node_settings.sqlalchemy_url)
    if url.get_backend_name() == "sqlite":
        url = url.set(
            database=str(ensure_data_folder(node_settings).resolve() / (url.database or ""))
        )
    engine = create_engine(url, hide_parameters=True)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _temporary_folder(parent: Path) -> Iterator[Path]:
    """A new folder in `parent`, so that files can be moved from it without copying. Raises
    `BackupError` for a full disk and other errors in writing.
    """
    try:
        with tempfile.TemporaryDirectory(dir=parent, prefix=".moothall-") as folder:
            yield Path(folder)
    except OSError as error:
        raise BackupError(f"{parent} cannot be written: {error.strerror or error}.") from error


def _settings_to_toml(node_settings: Settings) -> str:
    """The settings that differ from the defaults. Each value is written as JSON, which is valid
    TOML.
    """
    lines = ["# The settings of the server when the backup was made."]
    for setting in fields(Settings):
        value = getattr(node_settings, setting.name)
        if value != setting.default and setting.name not in LOCAL_SETTINGS:
            json_value = list(value) if isinstance(value, tuple) else value
            lines.append(f"{setting.name} = {json.dumps(json_value)}")
    return "\n".join([*lines, ""])
