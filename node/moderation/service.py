"""Reports: filed by visitors and by other servers, decided by moderators, passed on to where what
is reported comes from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session, joinedload

from federation.origin import host_of
from federation.vocabulary import flag
from node.conversations import service as conversations
from node.conversations.models import Comment, CommentState
from node.councils import service as councils
from node.db import now
from node.errors import ConflictError, InvalidInputError, NotFoundError
from node.federating import actor_blocks, actors, local_uris, outbox, peers
from node.federating.models import Actor
from node.messages import msg
from node.moderation.models import STATE_TRANSITIONS, Report, ReportState
from node.moderation.reported_items import ReportedItem, list_items
from node.projects.models import Project
from node.runtime import UnitOfWork
from node.text import misfit, trim

MAX_LEN_WORDS = 2_000
MAX_OBJECTS = 20
# Of one server so many reports wait, and so many are kept; of our own visitors, more.
MAX_OPEN_PER_HOST, MAX_OPEN_LOCAL = 100, 500
# Of all servers but ours together.
MAX_OPEN_REMOTE = 1_000
MAX_DECIDED_PER_HOST = 1_000
PAGE_SIZE = 30


class Decision(StrEnum):
    """What a moderator does about a report."""

    dismiss = "dismiss"
    hide = "hide"
    block_author = "block-author"
    block_server = "block-server"


class TooManyReportsError(ConflictError):
    """So many reports of the same server wait that no more are taken."""


@dataclass(frozen=True)
class ReportsPage:
    """One page of reports, the newest first. `number` counts from 1."""

    reports: list[Report]
    number: int
    pages: int


def create_report(
    work: UnitOfWork,
    *,
    uri: str,
    host: str,
    about: Sequence[str],
    words: str,
    reporter: Actor | None = None,
) -> Report:
    """Keep a report for the moderators. `host` is where the reporter is.

    Raises `TooManyReportsError`.
    """
    session = work.session
    most = MAX_OPEN_LOCAL if host == work.settings.authority else MAX_OPEN_PER_HOST
    is_open = select(func.count()).select_from(Report).where(Report.state == ReportState.open)
    of_host = session.scalar(is_open.where(Report.host == host)) or 0
    is_full = host != work.settings.authority and (session.scalar(is_open) or 0) >= MAX_OPEN_REMOTE
    if of_host >= most or is_full:
        raise TooManyReportsError(
            msg("Too many reports are waiting to be read. Try again another day.")
        )
    decided = Report.host == host, Report.state != ReportState.open
    newest_first = select(Report.id).where(*decided).order_by(Report.id.desc())
    surplus = newest_first.offset(MAX_DECIDED_PER_HOST).limit(MAX_OPEN_PER_HOST)
    session.execute(delete(Report).where(Report.id.in_(surplus)))
    row = Report(
        uri=uri,
        host=host,
        about=list(about[:MAX_OBJECTS]),
        words=words[:MAX_LEN_WORDS],
        reporter=reporter,
        state=ReportState.open,
    )
    session.add(row)
    session.flush()
    return row


def create_visitor_report(work: UnitOfWork, about: str, words: str) -> Report:
    """A visitor of ours says that something should not be here.

    Raises `InvalidInputError` for words that will not do.
    """
    words = trim(words)
    if not words:
        raise InvalidInputError(
            msg("The report could not be sent."),
            {"words": msg("Enter a description of the problem")},
        )
    if why := misfit(words, MAX_LEN_WORDS, lines=True):
        raise InvalidInputError(msg("The report could not be sent."), {"words": why})
    uri, host = local_uris.new_activity(work.settings), work.settings.authority
    row = create_report(work, uri=uri, host=host, about=[about], words=words)
    work.audit("report.file", about)
    return row


def list_page(session: Session, *, is_open: bool, number: int = 1) -> ReportsPage:
    """The reports that wait, or those that were decided."""
    query = select(Report).where(_is_in_state(is_open=is_open)).options(joinedload(Report.reporter))
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    pages = max(1, -(-total // PAGE_SIZE))
    number = min(max(1, number), pages)
    newest_first = query.order_by(Report.received_at.desc(), Report.id.desc())
    found = session.scalars(newest_first.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)).all()
    return ReportsPage(list(found), number, pages)


def _is_in_state(*, is_open: bool) -> ColumnElement[bool]:
    return Report.state == ReportState.open if is_open else Report.state != ReportState.open


def by_id(session: Session, report_id: int) -> Report:
    row = session.get(Report, report_id)
    if row is None:
        raise NotFoundError(msg("There is no such report."))
    return row


def decide(work: UnitOfWork, row: Report, decision: Decision, *, forward: bool = False) -> None:
    """Do what a moderator decided about all that is reported, and close the report.

    `forward`: its servers are told too. Raises `InvalidInputError` where there is nothing that
    this can be done to.
    """
    found = list_items(work.session, row.about)
    done = {
        Decision.dismiss: lambda: ["Nothing was done"],
        Decision.hide: lambda: _hide_all(work, found),
        Decision.block_author: lambda: _block_authors(work, found),
        Decision.block_server: lambda: _block_servers(work, found),
    }[decision]()
    if not done:
        raise InvalidInputError(
            msg("This decision cannot be carried out."),
            {
                "decision": msg(
                    "This does not apply to anything in the report. Select another option"
                )
            },
        )
    if forward:
        done += forward_report(work, row, found)
    _set_state(
        work, row, ReportState.dismissed if decision is Decision.dismiss else ReportState.upheld
    )
    row.decision = "; ".join(done)[:500]
    work.audit("report.decide", row.uri, decision=row.decision)


def reopen(work: UnitOfWork, row: Report) -> None:
    """It was decided too early. What was done stays done."""
    _set_state(work, row, ReportState.open)
    row.decision, row.decided_by, row.decided_at = "", "", None
    work.audit("report.reopen", row.uri)


def hide(work: UnitOfWork, thing: Project | Comment) -> None:
    """Take something off our pages. Raises `ConflictError` for what is ours."""
    if isinstance(thing, Comment):
        if thing.state is not CommentState.hidden:
            conversations.hide(work, thing)
        return
    if thing.is_local:
        raise ConflictError(msg("That is our own council’s project. Delete it instead."))
    thing.is_hidden = True
    work.audit("project.hide", thing.uri)


def show(work: UnitOfWork, thing: Project | Comment) -> None:
    """Put back on our pages what was taken off them."""
    if isinstance(thing, Comment):
        conversations.show(work, thing)
        return
    thing.is_hidden = False
    work.audit("project.show", thing.uri)


def hidden_projects(session: Session) -> list[Project]:
    """The projects of others that moderators took off our pages, by title."""
    return list(session.scalars(select(Project).where(Project.is_hidden).order_by(Project.title)))


def forward_report(work: UnitOfWork, row: Report, found: Sequence[ReportedItem]) -> list[str]:
    """Report it to the servers that it comes from, in the node's own name: nobody else is named."""
    told = []
    node = actors.node_actor(work.session, work.settings)
    for author, uris in _group_by_author(found).items():
        uri = local_uris.new_activity(work.settings)
        activity = flag(uri, node.uri, [author.uri, *uris], row.words, to=[author.uri])
        outbox.send(work, node, activity, to=author)
        told.append(f"reported to {author.host}")
    return list(dict.fromkeys(told))


def _group_by_author(found: Sequence[ReportedItem]) -> dict[Actor, list[str]]:
    grouped: dict[Actor, list[str]] = {}
    for matter in found:
        if matter.author is not None and not matter.author.is_local:
            uris = grouped.setdefault(matter.author, [])
            if matter.uri != matter.author.uri and host_of(matter.uri) == matter.author.host:
                uris.append(matter.uri)
    return grouped


def _hide_all(work: UnitOfWork, found: Sequence[ReportedItem]) -> list[str]:
    things = [matter.hideable for matter in found if matter.hideable is not None]
    for thing in things:
        hide(work, thing)
    return [f"{thing.uri} was hidden" for thing in things]


def _block_authors(work: UnitOfWork, found: Sequence[ReportedItem]) -> list[str]:
    own = councils.require_own(work.session).actor
    authors = list(_group_by_author(found))
    for author in authors:
        actor_blocks.block(work, own, author)
    return [f"{author.uri} was blocked" for author in authors]


def _block_servers(work: UnitOfWork, found: Sequence[ReportedItem]) -> list[str]:
    hosts = sorted({author.host for author in _group_by_author(found)})
    for host in hosts:
        peers.decide(work, host, peers.BLOCKED, "After a report")
    return [f"{host} was blocked" for host in hosts]


def _set_state(work: UnitOfWork, row: Report, state: ReportState) -> None:
    if state not in STATE_TRANSITIONS[row.state]:
        raise ConflictError(msg("This report has already been decided."))
    row.state, row.decided_by, row.decided_at = state, work.by[:255], now()
