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

from federation.origin import normal_authority
from node import portions
from node.errors import InvalidInputError
from node.federating import peers
from node.federating.models import Peer
from node.runtime import Node, UnitOfWork
from node.text import one_line
from node.wording import Saying, say, say_count

Format = Literal["plain", "mastodon"]
PLAIN = ("host", "state", "comment")
MASTODON = (
    "#domain",
    "#severity",
    "#reject_media",
    "#reject_reports",
    "#public_comment",
    "#obfuscate",
)
# What Mastodon calls a block; its lesser severities are none here.
SUSPEND, LESSER = "suspend", frozenset({"silence", "limit", "noop"})
MOST_BYTES = 1_000_000
MOST_ENTRIES = 10_000
MOST_COMPLAINTS = 10
# So many servers are decided about in one transaction, with an entry of the audit log for each.
AT_ONCE = 50
# What a spreadsheet would take for the beginning of a formula.
FORMULA = "=+-@"


@dataclass(frozen=True)
class Entry:
    """What a list says of one host. `state` is allowed or blocked."""

    host: str
    state: str
    comment: str = ""


@dataclass(frozen=True)
class Contents:
    """A list that was read. `wrong` says of each bad row, by its name, what is wrong with it."""

    entries: tuple[Entry, ...]
    wrong: Mapping[str, Saying]


@dataclass(frozen=True)
class TakenIn:
    """What became of an import: how many hosts were decided now, and how many were so before.

    `kept` are those of which the operator had said the opposite, which stands.
    """

    new: int
    same: int
    kept: tuple[str, ...]


def read(body: bytes) -> Contents:
    """The list in a file. Raises `InvalidInputError` for what is no list at all."""
    rows = _rows(body)
    columns = tuple(name.strip().lower() for name in next(rows, (1, []))[1])
    if columns[:2] == MASTODON[:2]:
        names = [name.removeprefix("#") for name in columns]
    elif len(columns) >= 2 and columns == PLAIN[: len(columns)]:
        names = list(columns)
    else:
        raise _no_list(
            say(
                "The first line must be %(names)s or %(others)s",
                names=",".join(PLAIN),
                others=",".join(MASTODON),
            )
        )
    entries: dict[str, Entry] = {}
    wrong: dict[str, Saying] = {}
    for line, row in rows:
        if len(entries) + len(wrong) >= MOST_ENTRIES:
            raise _no_list(
                say("The list must have %(most)s servers or fewer", most=f"{MOST_ENTRIES:,}")
            )
        try:
            entry = _entry(names, row)
        except ValueError as error:
            wrong[f"line {line}"] = error.args[0]
            continue
        if entry is not None and entries.setdefault(entry.host, entry).state != entry.state:
            wrong[f"line {line}"] = say(
                "%(host)s is listed above with a different state", host=entry.host
            )
    return Contents(tuple(entries.values()), wrong)


def check(contents: Contents) -> tuple[Entry, ...]:
    """The entries of a list without bad rows. Raises `InvalidInputError`, a line for each."""
    if not contents.wrong:
        return contents.entries
    shown = dict(list(contents.wrong.items())[:MOST_COMPLAINTS])
    more = len(contents.wrong) - len(shown)
    if more:
        shown["and more"] = say_count(
            "%(num)s other line has an error", "%(num)s other lines have errors", more
        )
    raise InvalidInputError(say("Nothing was imported because some lines have errors."), shown)


def write(entries: Iterable[Entry], wanted: Format = "plain") -> str:
    """A list as CSV. Mastodon's has nothing but blocks."""
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(MASTODON if wanted == "mastodon" else PLAIN)
    for entry in entries:
        comment = entry.comment.lstrip(FORMULA)
        if wanted == "plain":
            rows.writerow((entry.host, entry.state, comment))
        elif entry.state == peers.BLOCKED:
            rows.writerow((entry.host, SUSPEND, False, False, comment, False))
    return file.getvalue()


def decided(session: Session, *states: str) -> list[Entry]:
    """What this node decided, by the operator or by a list, of all hosts, by name."""
    query = select(Peer).where(Peer.state.in_(states or (peers.ALLOWED, peers.BLOCKED)))
    rows = session.scalars(query.order_by(Peer.host))
    return [Entry(row.host, row.state, row.comment) for row in rows]


def take_in(node: Node, by: str, entries: Iterable[Entry]) -> TakenIn:
    """Make a list the word of the operator `by`. What the operator said before is not overturned.
    To be called outside a transaction.
    """
    waiting, new, same, kept = list(entries), 0, 0, []

    def take_some(work: UnitOfWork) -> bool:
        nonlocal new, same
        for entry in waiting[:AT_ONCE]:
            if entry.host == work.settings.authority:
                kept.append(entry.host)
                continue
            peer = peers.row(work.session, entry.host)
            is_word = peer.state != peers.UNKNOWN and peer.peer_list_id is None
            if is_word and peer.state != entry.state:
                kept.append(entry.host)
            elif is_word:
                same += 1
            else:
                peers.set_state(work, entry.host, entry.state, entry.comment)
                new += 1
        portions.later(work, peers.ENFORCING)
        del waiting[:AT_ONCE]
        return bool(waiting)

    portions.repeat(node, by, take_some)
    with node.work(by=by) as work:
        peers.enforce(work)
    return TakenIn(new, same, tuple(kept))


def _rows(body: bytes) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the number of its line."""
    if len(body) > MOST_BYTES:
        raise _no_list(say("The list must be %(most)s bytes or smaller", most=f"{MOST_BYTES:,}"))
    try:
        text = body.decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text), strict=True)
        rows = [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except UnicodeDecodeError as error:
        raise _no_list(say("The file is not UTF-8 text")) from error
    except csv.Error as error:
        raise _no_list(say("The file is not CSV: %(error)s", error=error)) from error
    return iter(rows)


def _entry(names: list[str], row: list[str]) -> Entry | None:
    """None for a severity that blocks nothing. Raises `ValueError` saying what is wrong."""
    if not 2 <= len(row) <= len(names):
        raise ValueError(
            say("the line has %(found)s columns, not %(wanted)s", found=len(row), wanted=len(names))
        )
    given = dict(zip(names, (value.strip() for value in row), strict=False))
    severity = given.get("severity")
    if severity in LESSER:
        return None
    state = given.get("state") or {SUSPEND: peers.BLOCKED}.get(severity or "", "")
    if state not in {peers.ALLOWED, peers.BLOCKED}:
        words = "suspend" if "severity" in names else "allowed or blocked"
        raise ValueError(say("%(given)s must be %(words)s", given=_said(row[1]), words=words))
    comment = one_line(given.get("comment") or given.get("public_comment"), peers.LONGEST_COMMENT)
    return Entry(_host(row[0]), state, comment.lstrip(FORMULA))


def _host(given: str) -> str:
    """No list decides about a whole top-level domain."""
    try:
        host = normal_authority(given)
    except ValueError as error:
        raise ValueError(say("%(given)s is not a server name", given=_said(given))) from error
    if "." not in host and ":" not in host:
        raise ValueError(say("%(given)s is not a full server name", given=_said(given)))
    return host


def _said(given: str) -> str:
    return one_line(given, 100) or "an empty name"


def _no_list(words: Saying) -> InvalidInputError:
    return InvalidInputError(say("That is not a list of servers."), {"file": words})
