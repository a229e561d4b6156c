"""Reads and writes peer lists as files: our own CSV, and Mastodon's CSV of blocked domains.

Parsing needs no database. `import_entries` stores a list as the operator's decisions, in batches;
after an interruption, importing the same list again continues.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.origin import normalise_authority
from node.errors import InvalidInputError
from node.federating.models import Peer
from node.federating.peers import service as peers
from node.messages import Message, msg, msg_count
from node.principal import Principal
from node.queue import batched_writes
from node.runtime import Node, UnitOfWork
from node.text import one_line

PeerListFormat = Literal["plain", "mastodon"]
PLAIN_COLUMNS = ("host", "state", "comment")
MASTODON_COLUMNS = (
    "#domain",
    "#severity",
    "#reject_media",
    "#reject_reports",
    "#public_comment",
    "#obfuscate",
)
# Mastodon's severity for a block, and those that are ignored as they block less.
SUSPEND_SEVERITY, IGNORED_SEVERITIES = "suspend", frozenset({"silence", "limit", "noop"})
MAX_BYTES = 1_000_000
MAX_ENTRIES = 10_000
MAX_REPORTED_ERRORS = 10
# Entries stored per transaction, each with an entry in the audit log.
BATCH_SIZE = 50
# Leading characters by which a spreadsheet recognises a formula.
FORMULA_PREFIXES = "=+-@"


@dataclass(frozen=True)
class PeerListEntry:
    """The state of one host in a list: allowed or blocked."""

    host: str
    state: str
    comment: str = ""


@dataclass(frozen=True)
class ParsedPeerList:
    """A parsed list. `errors` has a message for each invalid line, keyed by its name."""

    entries: tuple[PeerListEntry, ...]
    errors: Mapping[str, Message]


@dataclass(frozen=True)
class PeerListImport:
    """The result of an import: the numbers of hosts with a new decision and with the same one as
    before.

    `overridden`: hosts that keep the operator's earlier decision, which is the opposite.
    """

    new_count: int
    unchanged_count: int
    overridden_hosts: tuple[str, ...]


def parse_list(body: bytes) -> ParsedPeerList:
    """Parse a file. Raises `InvalidInputError` if it is not a list."""
    rows = _read_rows(body)
    columns = tuple(name.strip().lower() for name in next(rows, (1, []))[1])
    if columns[:2] == MASTODON_COLUMNS[:2]:
        names = [name.removeprefix("#") for name in columns]
    elif len(columns) >= 2 and columns == PLAIN_COLUMNS[: len(columns)]:
        names = list(columns)
    else:
        raise _invalid_list_error(
            msg(
                "The first line must be %(names)s or %(others)s",
                names=",".join(PLAIN_COLUMNS),
                others=",".join(MASTODON_COLUMNS),
            )
        )
    entries: dict[str, PeerListEntry] = {}
    errors: dict[str, Message] = {}
    for line, row in rows:
        if len(entries) + len(errors) >= MAX_ENTRIES:
            raise _invalid_list_error(
                msg("The list must have %(most)s servers or fewer", most=f"{MAX_ENTRIES:,}")
            )
        try:
            entry = _parse_entry(names, row)
        except ValueError as error:
            errors[f"line {line}"] = error.args[0]
            continue
        if entry is not None and entries.setdefault(entry.host, entry).state != entry.state:
            errors[f"line {line}"] = msg(
                "%(host)s is listed above with a different state", host=entry.host
            )
    return ParsedPeerList(tuple(entries.values()), errors)


def require_valid(parsed_list: ParsedPeerList) -> tuple[PeerListEntry, ...]:
    """The entries of a list. Raises `InvalidInputError` with the first errors, if there are any."""
    if not parsed_list.errors:
        return parsed_list.entries
    reported = dict(list(parsed_list.errors.items())[:MAX_REPORTED_ERRORS])
    more = len(parsed_list.errors) - len(reported)
    if more:
        reported["and more"] = msg_count(
            "%(num)s other line has an error", "%(num)s other lines have errors", more
        )
    raise InvalidInputError(msg("Nothing was imported because some lines have errors."), reported)


def dump_csv(entries: Iterable[PeerListEntry], list_format: PeerListFormat = "plain") -> str:
    """A list as CSV. Mastodon's format contains only blocks."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(MASTODON_COLUMNS if list_format == "mastodon" else PLAIN_COLUMNS)
    for entry in entries:
        comment = entry.comment.lstrip(FORMULA_PREFIXES)
        if list_format == "plain":
            writer.writerow((entry.host, entry.state, comment))
        elif entry.state == peers.BLOCKED:
            writer.writerow((entry.host, SUSPEND_SEVERITY, False, False, comment, False))
    return file.getvalue()


def list_decided(session: Session, *states: str) -> list[PeerListEntry]:
    """The hosts that the operator or a list has decided about, by name."""
    query = select(Peer).where(Peer.state.in_(states or (peers.ALLOWED, peers.BLOCKED)))
    rows = session.scalars(query.order_by(Peer.host))
    return [PeerListEntry(row.host, row.state, row.comment) for row in rows]


def import_entries(node: Node, by: Principal, entries: Iterable[PeerListEntry]) -> PeerListImport:
    """Store the entries as decisions of the operator `by`. Earlier decisions of the operator are
    kept. Call it outside a transaction.
    """
    pending, new, unchanged, overridden = list(entries), 0, 0, []

    def import_batch(work: UnitOfWork) -> bool:
        nonlocal new, unchanged
        for entry in pending[:BATCH_SIZE]:
            if entry.host == work.settings.authority:
                overridden.append(entry.host)
                continue
            peer = peers.get_or_create(work.session, entry.host)
            by_operator = peer.state != peers.UNKNOWN and peer.peer_list_id is None
            if by_operator and peer.state != entry.state:
                overridden.append(entry.host)
            elif by_operator:
                unchanged += 1
            else:
                peers.set_state(work, entry.host, entry.state, entry.comment)
                new += 1
        batched_writes.enqueue(work, peers.ENFORCE_BLOCKS)
        del pending[:BATCH_SIZE]
        return bool(pending)

    batched_writes.run_in_batches(node, by, import_batch)
    with node.work(by=by) as work:
        peers.enforce_decisions(work)
    return PeerListImport(new, unchanged, tuple(overridden))


def _read_rows(body: bytes) -> Iterator[tuple[int, list[str]]]:
    """The non-empty rows with their line numbers. Raises `InvalidInputError`."""
    if len(body) > MAX_BYTES:
        raise _invalid_list_error(
            msg("The list must be %(most)sMB or smaller", most=MAX_BYTES // 1_000_000)
        )
    try:
        text = body.decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text), strict=True)
        rows = [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except UnicodeDecodeError as error:
        raise _invalid_list_error(msg("The file is not UTF-8 text")) from error
    except csv.Error as error:
        raise _invalid_list_error(msg("The file is not CSV: %(error)s", error=error)) from error
    return iter(rows)


def _parse_entry(names: list[str], row: list[str]) -> PeerListEntry | None:
    """The entry of a row; None for an ignored severity. Raises `ValueError` with a message."""
    if not 2 <= len(row) <= len(names):
        raise ValueError(
            msg(
                "the line does not have the same number of columns as the first line: "
                "%(found)s, not %(wanted)s",
                found=len(row),
                wanted=len(names),
            )
        )
    values = dict(zip(names, (value.strip() for value in row), strict=False))
    severity = values.get("severity")
    if severity in IGNORED_SEVERITIES:
        return None
    state = values.get("state") or {SUSPEND_SEVERITY: peers.BLOCKED}.get(severity or "", "")
    if state not in {peers.ALLOWED, peers.BLOCKED}:
        expected = "suspend" if "severity" in names else "allowed or blocked"
        raise ValueError(
            msg("%(given)s must be %(words)s", given=_escape_formula(row[1]), words=expected)
        )
    comment = one_line(values.get("comment") or values.get("public_comment"), peers.MAX_LEN_COMMENT)
    return PeerListEntry(_parse_host(row[0]), state, comment.lstrip(FORMULA_PREFIXES))


def _parse_host(name: str) -> str:
    """A valid host name. Raises `ValueError` for a top-level domain too."""
    try:
        host = normalise_authority(name)
    except ValueError as error:
        raise ValueError(
            msg("%(given)s is not a server name", given=_escape_formula(name))
        ) from error
    if "." not in host and ":" not in host:
        raise ValueError(msg("%(given)s is not a full server name", given=_escape_formula(name)))
    return host


def _escape_formula(value: str) -> str:
    return one_line(value, 100) or "an empty name"


def _invalid_list_error(error: Message) -> InvalidInputError:
    return InvalidInputError(msg("The list of servers is not valid."), {"file": error})
