"""Lists of servers as files: CSV of our own, and Mastodon's CSV of blocked domains.

Reading knows no database. `take_in` makes a list the operator's word: one that was checked as a
whole, some of it at a time. What ends half-way goes on when the same list is taken in again.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.origin import normalise_authority
from node import long_writes
from node.errors import InvalidInputError
from node.federating import peers
from node.federating.models import Peer
from node.messages import Message, msg, msg_count
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
# What Mastodon calls a block; its lesser severities are none here.
SUSPEND, IGNORED_SEVERITIES = "suspend", frozenset({"silence", "limit", "noop"})
MAX_BYTES = 1_000_000
MAX_ENTRIES = 10_000
MAX_REPORTED_ERRORS = 10
# So many servers are decided about in one transaction, with an entry of the audit log for each.
BATCH_SIZE = 50
# What a spreadsheet would take for the beginning of a formula.
FORMULA_PREFIXES = "=+-@"


@dataclass(frozen=True)
class PeerListEntry:
    """What a list says of one host. `state` is allowed or blocked."""

    host: str
    state: str
    comment: str = ""


@dataclass(frozen=True)
class ParsedPeerList:
    """A list that was read. `wrong` says of each bad row, by its name, what is wrong with it."""

    entries: tuple[PeerListEntry, ...]
    errors: Mapping[str, Message]


@dataclass(frozen=True)
class PeerListImport:
    """What became of an import: how many hosts were decided now, and how many were so before.

    `kept` are those of which the operator had said the opposite, which stands.
    """

    new: int
    unchanged: int
    overridden: tuple[str, ...]


def parse_list(body: bytes) -> ParsedPeerList:
    """The list in a file. Raises `InvalidInputError` for what is no list at all."""
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
    wrong: dict[str, Message] = {}
    for line, row in rows:
        if len(entries) + len(wrong) >= MAX_ENTRIES:
            raise _invalid_list_error(
                msg("The list must have %(most)s servers or fewer", most=f"{MAX_ENTRIES:,}")
            )
        try:
            entry = _parse_entry(names, row)
        except ValueError as error:
            wrong[f"line {line}"] = error.args[0]
            continue
        if entry is not None and entries.setdefault(entry.host, entry).state != entry.state:
            wrong[f"line {line}"] = msg(
                "%(host)s is listed above with a different state", host=entry.host
            )
    return ParsedPeerList(tuple(entries.values()), wrong)


def require_valid(contents: ParsedPeerList) -> tuple[PeerListEntry, ...]:
    """The entries of a list without bad rows. Raises `InvalidInputError`, a line for each."""
    if not contents.errors:
        return contents.entries
    shown = dict(list(contents.errors.items())[:MAX_REPORTED_ERRORS])
    more = len(contents.errors) - len(shown)
    if more:
        shown["and more"] = msg_count(
            "%(num)s other line has an error", "%(num)s other lines have errors", more
        )
    raise InvalidInputError(msg("Nothing was imported because some lines have errors."), shown)


def dump_csv(entries: Iterable[PeerListEntry], wanted: PeerListFormat = "plain") -> str:
    """A list as CSV. Mastodon's has nothing but blocks."""
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(MASTODON_COLUMNS if wanted == "mastodon" else PLAIN_COLUMNS)
    for entry in entries:
        comment = entry.comment.lstrip(FORMULA_PREFIXES)
        if wanted == "plain":
            rows.writerow((entry.host, entry.state, comment))
        elif entry.state == peers.BLOCKED:
            rows.writerow((entry.host, SUSPEND, False, False, comment, False))
    return file.getvalue()


def list_decided(session: Session, *states: str) -> list[PeerListEntry]:
    """What this node decided, by the operator or by a list, of all hosts, by name."""
    query = select(Peer).where(Peer.state.in_(states or (peers.ALLOWED, peers.BLOCKED)))
    rows = session.scalars(query.order_by(Peer.host))
    return [PeerListEntry(row.host, row.state, row.comment) for row in rows]


def import_entries(node: Node, by: str, entries: Iterable[PeerListEntry]) -> PeerListImport:
    """Make a list the word of the operator `by`. What the operator said before is not overturned.
    To be called outside a transaction.
    """
    waiting, new, same, kept = list(entries), 0, 0, []

    def take_some(work: UnitOfWork) -> bool:
        nonlocal new, same
        for entry in waiting[:BATCH_SIZE]:
            if entry.host == work.settings.authority:
                kept.append(entry.host)
                continue
            peer = peers.get_or_create(work.session, entry.host)
            is_word = peer.state != peers.UNKNOWN and peer.peer_list_id is None
            if is_word and peer.state != entry.state:
                kept.append(entry.host)
            elif is_word:
                same += 1
            else:
                peers.set_state(work, entry.host, entry.state, entry.comment)
                new += 1
        long_writes.enqueue(work, peers.ENFORCE_BLOCKS)
        del waiting[:BATCH_SIZE]
        return bool(waiting)

    long_writes.run_in_batches(node, by, take_some)
    with node.work(by=by) as work:
        peers.enforce(work)
    return PeerListImport(new, same, tuple(kept))


def _read_rows(body: bytes) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the number of its line."""
    if len(body) > MAX_BYTES:
        raise _invalid_list_error(
            msg("The list must be %(most)s bytes or smaller", most=f"{MAX_BYTES:,}")
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
    """None for a severity that blocks nothing. Raises `ValueError` saying what is wrong."""
    if not 2 <= len(row) <= len(names):
        raise ValueError(
            msg("the line has %(found)s columns, not %(wanted)s", found=len(row), wanted=len(names))
        )
    given = dict(zip(names, (value.strip() for value in row), strict=False))
    severity = given.get("severity")
    if severity in IGNORED_SEVERITIES:
        return None
    state = given.get("state") or {SUSPEND: peers.BLOCKED}.get(severity or "", "")
    if state not in {peers.ALLOWED, peers.BLOCKED}:
        words = "suspend" if "severity" in names else "allowed or blocked"
        raise ValueError(msg("%(given)s must be %(words)s", given=_quote(row[1]), words=words))
    comment = one_line(given.get("comment") or given.get("public_comment"), peers.MAX_LEN_COMMENT)
    return PeerListEntry(_parse_host(row[0]), state, comment.lstrip(FORMULA_PREFIXES))


def _parse_host(given: str) -> str:
    """No list decides about a whole top-level domain."""
    try:
        host = normalise_authority(given)
    except ValueError as error:
        raise ValueError(msg("%(given)s is not a server name", given=_quote(given))) from error
    if "." not in host and ":" not in host:
        raise ValueError(msg("%(given)s is not a full server name", given=_quote(given)))
    return host


def _quote(given: str) -> str:
    return one_line(given, 100) or "an empty name"


def _invalid_list_error(words: Message) -> InvalidInputError:
    return InvalidInputError(msg("That is not a list of servers."), {"file": words})
