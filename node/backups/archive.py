"""The backup file: a tar archive that begins with a manifest of its other members.

With a passphrase the archive is encrypted in the age format (https://age-encryption.org/v1), so the
`age` program can open it too. `key.age` holds a key generated for this file, encrypted with the
passphrase; `backup.tar.gz.age` holds the archive, encrypted to that key as a stream.
"""

import hashlib
import json
import tarfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import pyrage

from node.errors import MoothallError

# Increased when older versions of Moothall can no longer read the file.
FORMAT_VERSION = 1
MANIFEST_MEMBER = "manifest.json"
KEY_MEMBER, ENCRYPTED_MEMBER = "key.age", "backup.tar.gz.age"
# The manifest and the encrypted key are read into memory whole, so their size is limited.
MAX_SMALL_MEMBER_BYTES = 1024 * 1024
CHUNK_BYTES = 1024 * 1024
# On a database, higher levels take longer and save almost nothing.
GZIP_LEVEL = 3


class BackupError(MoothallError):
    """A backup cannot be written, read or restored. The message gives the reason."""

    code = "backup"


@dataclass(frozen=True)
class BackupManifest:
    """The description of a backup: the first member of its archive.

    `engine` is `sqlite` or `postgresql`. `revisions` gives the newest migration by version table:
    one for the core and one for each plugin. `files` gives the SHA-256 digest in hex of each member
    by its name. `taken_at` is an ISO 8601 time.
    """

    base_url: str
    engine: str
    taken_at: str
    version: str
    revisions: Mapping[str, str]
    files: Mapping[str, str]
    format: int = FORMAT_VERSION


def write_archive(
    target: Path, manifest: BackupManifest, files: Mapping[str, Path], passphrase: str
) -> None:
    """Write an archive of `files` to `target`, encrypted unless `passphrase` is empty."""
    if not passphrase:
        with target.open("xb") as out:
            _write_members(out, manifest, files)
        return
    plain = target.with_name(f"{target.name}.plain")
    encrypted = target.with_name(f"{target.name}.age")
    key = pyrage.x25519.Identity.generate()
    try:
        with plain.open("xb") as out:
            _write_members(out, manifest, files)
        with plain.open("rb") as source, encrypted.open("xb") as out:
            pyrage.encrypt_io(source, out, [key.to_public()])
        with tarfile.open(target, "x") as archive:
            _add_bytes(
                archive, KEY_MEMBER, pyrage.passphrase.encrypt(str(key).encode(), passphrase)
            )
            archive.add(encrypted, ENCRYPTED_MEMBER)
    finally:
        plain.unlink(missing_ok=True)
        encrypted.unlink(missing_ok=True)


def extract_archive(source: Path, folder: Path, passphrase: str) -> BackupManifest:
    """Write the files of the archive `source` to `folder`, and check their digests.

    Returns the manifest. Raises `BackupError` if `source` is not a backup, is damaged, or has
    another passphrase.
    """
    try:
        if is_encrypted(source):
            source = _decrypt(source, folder, passphrase)
        with tarfile.open(source, "r|*") as archive:
            return _extract_members(archive, folder)
    except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{source.name} is not a backup, or is damaged.") from error
    except OSError as error:
        raise BackupError(f"{source} cannot be read: {error.strerror or error}.") from error


def is_encrypted(source: Path) -> bool:
    """Whether `source` needs a passphrase. Raises `BackupError` if it cannot be read."""
    try:
        with tarfile.open(source) as archive:
            first = archive.next()
    except OSError as error:
        raise BackupError(f"{source} cannot be read: {error.strerror or error}.") from error
    except (tarfile.TarError, EOFError) as error:
        raise BackupError(f"{source.name} is not a backup, or is damaged.") from error
    return first is not None and first.name == KEY_MEMBER


def file_digest(path: Path) -> str:
    """The SHA-256 digest of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_members(out: IO[bytes], manifest: BackupManifest, files: Mapping[str, Path]) -> None:
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=GZIP_LEVEL) as archive:
        _add_bytes(archive, MANIFEST_MEMBER, json.dumps(asdict(manifest), indent=2).encode())
        for name, path in files.items():
            archive.add(path, name, recursive=False)


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    archive.addfile(member, BytesIO(content))


def _decrypt(source: Path, folder: Path, passphrase: str) -> Path:
    """Decrypt `source` into a file in `folder`. Returns the path of that file."""
    if not passphrase:
        raise BackupError(f"{source.name} is encrypted. Enter its passphrase.")
    plain = folder / "backup.tar.gz"
    try:
        with tarfile.open(source) as outer, plain.open("xb") as out:
            key = _decrypt_key(_read_small_member(outer, outer.getmember(KEY_MEMBER)), passphrase)
            encrypted = outer.extractfile(outer.getmember(ENCRYPTED_MEMBER))
            if encrypted is None:
                raise BackupError(f"{source.name} is not a backup, or is damaged.")
            pyrage.decrypt_io(encrypted, out, [key])
    except (pyrage.DecryptError, OSError) as error:
        if isinstance(error, OSError) and error.errno:  # raised by the file system, not by age
            raise
        raise BackupError(f"{source.name} is damaged and cannot be decrypted.") from error
    return plain


def _decrypt_key(encrypted: bytes, passphrase: str) -> pyrage.x25519.Identity:
    try:
        text = pyrage.passphrase.decrypt(encrypted, passphrase).decode("ascii")
    except pyrage.DecryptError as error:
        raise BackupError("The passphrase is not correct.") from error
    return pyrage.x25519.Identity.from_str(text)


def _read_small_member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """Read a member of at most `MAX_SMALL_MEMBER_BYTES` into memory."""
    file = archive.extractfile(member) if member.size <= MAX_SMALL_MEMBER_BYTES else None
    if file is None:
        raise BackupError(f"The backup is damaged: {member.name} is not a file or is too large.")
    return file.read()


def _extract_members(archive: tarfile.TarFile, folder: Path) -> BackupManifest:
    """Write the members that the manifest names to `folder`, and refuse all others."""
    members = iter(archive)
    first = next(members, None)
    if first is None or first.name != MANIFEST_MEMBER:
        raise BackupError("This is not a backup: it does not start with a manifest.")
    manifest = _parse_manifest(json.loads(_read_small_member(archive, first)))
    missing = dict(manifest.files)
    for member in members:
        expected = missing.pop(member.name, None)
        source = archive.extractfile(member)
        if expected is None or source is None or Path(member.name).name != member.name:
            raise BackupError(
                f"The backup is damaged: it contains an unknown file, {member.name!r}."
            )
        if _copy_member(source, folder / member.name) != expected:
            raise BackupError(f"The backup is damaged: {member.name} has been changed.")
    if missing:
        raise BackupError(f"The backup is damaged: {', '.join(sorted(missing))} missing.")
    return manifest


def _parse_manifest(value: Any) -> BackupManifest:
    if not isinstance(value, dict) or not isinstance(value.get("format"), int):
        raise BackupError("This is not a backup: its manifest is not valid.")
    if value["format"] > FORMAT_VERSION:
        raise BackupError(
            "This backup was made by a newer version of Moothall. Install that version first."
        )
    return BackupManifest(**{item.name: value[item.name] for item in fields(BackupManifest)})


def _copy_member(source: IO[bytes], target: Path) -> str:
    """Copy a member to a new file. Returns the SHA-256 digest of the copy in hex."""
    digest = hashlib.sha256()
    with target.open("xb") as out:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            out.write(chunk)
    return digest.hexdigest()
