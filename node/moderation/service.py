"""Reports: created by visitors and other servers, decided by moderators, and forwarded to the
server of the reported content.
"""

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, joinedload

from federation.origin import host_of
from federation.vocabulary import flag
from node.conversations import service as conversations
from node.conversations.models import Comment, CommentState
from node.councils import service as councils
from node.database.tables import now
from node.errors import ConflictError, InvalidInputError, NotFoundError
from node.federating.identity import actors, local_uris
from node.federating.models import Actor
from node.federating.outbound import outbox
from node.federating.peers import service as peers
from node.federating.sync import actor_blocks
from node.messages import msg
from node.moderation.models import STATE_TRANSITIONS, Report, ReportState
from node.moderation.reported_items import ReportedItem, list_items
from node.pagination import Page, page_by_number
from node.projects.models import Project
from node.queue.pruning import delete_surplus
from node.runtime import UnitOfWork
from node.text import find_text_error, trim

MAX_LEN_TEXT = 2_000
MAX_OBJECTS = 20
# Open reports from one server, from visitors to this site, and from all other servers together.
MAX_OPEN_PER_HOST, MAX_OPEN_LOCAL = 100, 500
MAX_OPEN_REMOTE = 1_000
# Older decided reports of a server are deleted at once.
MAX_DECIDED_PER_HOST = 1_000
PAGE_SIZE = 30


class ReportDecision(StrEnum):
    """What a moderator does about a report."""

    dismiss = "dismiss"
    hide = "hide"
    block_author = "block-author"
    block_server = "block-server"


class TooManyReportsError(ConflictError):
    """The limit of open reports for the reporting server, or for all servers, is reached."""


def create_report(
    work: UnitOfWork,
    *,
    uri: str,
    host: str,
    object_uris: Sequence[str],
    text: str,
    reporter: Actor | None = None,
) -> Report:
    """Save a report for the moderators. `host` is the reporter's server.

    Deletes the oldest decided reports of the host above `MAX_DECIDED_PER_HOST`. Raises
    `TooManyReportsError`.
    """
    session = work.session
    limit = MAX_OPEN_LOCAL if host == work.settings.authority else MAX_OPEN_PER_HOST
    count_open = select(func.count()).select_from(Report).where(Report.state == ReportState.open)
    open_of_host = session.scalar(count_open.where(Report.host == host)) or 0
    is_remote_limit_reached = (
        host != work.settings.authority and (session.scalar(count_open) or 0) >= MAX_OPEN_REMOTE
    )
    if open_of_host >= limit or is_remote_limit_reached:
        raise TooManyReportsError(
            msg("Too many reports are waiting to be read. Try again another day.")
        )
    is_decided = Report.host == host, Report.state != ReportState.open
    delete_surplus(session, Report, *is_decided, max_rows=MAX_DECIDED_PER_HOST)
    row = Report(
        uri=uri,
        host=host,
        about=list(object_uris[:MAX_OBJECTS]),
        words=text[:MAX_LEN_TEXT],
        reporter=reporter,
        state=ReportState.open,
    )
    session.add(row)
    session.flush()
    return row


def create_visitor_report(work: UnitOfWork, object_uri: str, text: str) -> Report:
    """Save a report by a visitor to this site. Raises `InvalidInputError` about `words`, and
    `TooManyReportsError`.
    """
    text = trim(text)
    if not text:
        raise InvalidInputError(
            msg("The report could not be sent."),
            {"words": msg("Enter a description of the problem")},
        )
    if problem := find_text_error(text, MAX_LEN_TEXT, lines=True):
        raise InvalidInputError(msg("The report could not be sent."), {"words": problem})
    uri, host = local_uris.new_activity(work.settings), work.settings.authority
    row = create_report(work, uri=uri, host=host, object_uris=[object_uri], text=text)
    work.audit("report.file", object_uri)
    return row


def list_page(session: Session, *, is_open: bool, number: int = 1) -> Page[Report]:
    """A page of the open reports, or of the decided ones, newest first."""
    query = select(Report).where(_is_in_state(is_open=is_open)).options(joinedload(Report.reporter))
    newest_first = query.order_by(Report.received_at.desc(), Report.id.desc())
    return page_by_number(session, newest_first, number, PAGE_SIZE)


def _is_in_state(*, is_open: bool) -> ColumnElement[bool]:
    return Report.state == ReportState.open if is_open else Report.state != ReportState.open


def by_id(session: Session, report_id: int) -> Report:
    row = session.get(Report, report_id)
    if row is None:
        raise NotFoundError(msg("Report not found."))
    return row


def decide(
    work: UnitOfWork, row: Report, decision: ReportDecision, *, forward: bool = False
) -> None:
    """Carry out a moderator's decision for everything in the report, and close the report.

    With `forward` the report is also sent to the servers of the reported content. Raises
    `InvalidInputError` if the decision applies to nothing in the report.
    """
    items = list_items(work.session, row.about)
    actions_taken = {
        ReportDecision.dismiss: lambda: ["no action taken"],
        ReportDecision.hide: lambda: _hide_all(work, items),
        ReportDecision.block_author: lambda: _block_authors(work, items),
        ReportDecision.block_server: lambda: _block_servers(work, items),
    }[decision]()
    if not actions_taken:
        raise InvalidInputError(
            msg("This decision cannot be carried out."),
            {
                "decision": msg(
                    "This does not apply to anything in the report. Select another option."
                )
            },
        )
    if forward:
        actions_taken += forward_report(work, row, items)
    _set_state(
        work,
        row,
        ReportState.dismissed if decision is ReportDecision.dismiss else ReportState.upheld,
    )
    summary = "; ".join(actions_taken)
    row.decision = f"{summary[:1].upper()}{summary[1:]}"[:500]
    work.audit("report.decide", row.uri, decision=row.decision)


def reopen(work: UnitOfWork, row: Report) -> None:
    """Open a decided report again. The actions taken are not undone."""
    _set_state(work, row, ReportState.open)
    row.decision, row.decided_by, row.decided_at = "", "", None
    work.audit("report.reopen", row.uri)


def hide(work: UnitOfWork, item: Project | Comment) -> None:
    """Hide a comment or another council's project. Raises `ConflictError` for our own project."""
    if isinstance(item, Comment):
        if item.state is not CommentState.hidden:
            conversations.hide(work, item)
        return
    if item.is_local:
        raise ConflictError(msg("You cannot hide your own council’s project. Delete it instead."))
    item.is_hidden = True
    work.audit("project.hide", item.uri)


def show(work: UnitOfWork, item: Project | Comment) -> None:
    """Show a comment or project again that was hidden."""
    if isinstance(item, Comment):
        conversations.show(work, item)
        return
    item.is_hidden = False
    work.audit("project.show", item.uri)


def list_hidden_projects(session: Session) -> list[Project]:
    """Other councils' projects that are hidden on this site, by title."""
    return list(session.scalars(select(Project).where(Project.is_hidden).order_by(Project.title)))


def forward_report(work: UnitOfWork, row: Report, items: Sequence[ReportedItem]) -> list[str]:
    """Send the report to the servers of the reported authors.

    The `Flag` is sent by the node's own actor, so that the reporter is not disclosed. Returns a
    sentence for each server, for the decision of the report.
    """
    actions_taken = []
    node = actors.get_node_actor(work.session, work.settings)
    for author, uris in _group_by_author(items).items():
        uri = local_uris.new_activity(work.settings)
        activity = flag(uri, node.uri, [author.uri, *uris], row.words, to=[author.uri])
        outbox.send(work, node, activity, to=author)
        actions_taken.append(f"forwarded to {author.host}")
    return list(dict.fromkeys(actions_taken))


def _group_by_author(items: Sequence[ReportedItem]) -> dict[Actor, list[str]]:
    uris_by_author: dict[Actor, list[str]] = {}
    for item in items:
        if item.author is not None and not item.author.is_local:
            uris = uris_by_author.setdefault(item.author, [])
            if item.uri != item.author.uri and host_of(item.uri) == item.author.host:
                uris.append(item.uri)
    return uris_by_author


def _hide_all(work: UnitOfWork, items: Sequence[ReportedItem]) -> list[str]:
    hideable = [item.hideable for item in items if item.hideable is not None]
    for row in hideable:
        hide(work, row)
    return [f"hidden: {row.uri}" for row in hideable]


def _block_authors(work: UnitOfWork, items: Sequence[ReportedItem]) -> list[str]:
    own_actor = councils.require_own(work.session).actor
    authors = list(_group_by_author(items))
    for author in authors:
        actor_blocks.block(work, own_actor, author)
    return [f"blocked: {author.uri}" for author in authors]


def _block_servers(work: UnitOfWork, items: Sequence[ReportedItem]) -> list[str]:
    hosts = sorted({author.host for author in _group_by_author(items)})
    for host in hosts:
        peers.decide(work, host, peers.BLOCKED, "After a report")
    return [f"blocked: {host}" for host in hosts]


def _set_state(work: UnitOfWork, row: Report, state: ReportState) -> None:
    if state not in STATE_TRANSITIONS[row.state]:
        raise ConflictError(msg("A decision has already been made about this report."))
    row.state, row.decided_by, row.decided_at = state, work.by.name[:255], now()
