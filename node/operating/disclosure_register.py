"""What we have shared, and with whom: each project once, with the councils that hold it.

For coordinators, who answer people who ask. Nothing here changes anything.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, exists, func, or_, select
from sqlalchemy.orm import Session

from node.councils import service as councils
from node.councils.models import Council
from node.federating.disclosures import FETCHED
from node.federating.models import Actor, Disclosure
from node.plugin_documents.models import PluginDocument
from node.projects.models import Project, ProjectState, Visibility

PAGE_SIZE = 50
# The kind of actor whose name a server is known by.
COUNCIL_KIND = "Organization"
# `Holder.how` of who has it because it read the list of all our projects.
READ_FROM_LIST = "List"


@dataclass(frozen=True)
class DisclosureHolder:
    """A server that has something of ours. `name` is that of its councils, else its host.

    `how` is the activity by which it came last, `Fetch` where the server asked for it, or `List`
    where it read our whole list of projects. `deleted_at`: when it said that it has deleted it.
    """

    name: str
    host: str
    how: str
    first_at: datetime
    last_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True)
class DisclosedItem:
    """A project of ours, or a document about it, with all who have it. `title` is empty for one
    that was deleted.
    """

    uri: str
    title: str
    holders: Sequence[DisclosureHolder]
    documents: Sequence["DisclosedItem"] = ()


@dataclass(frozen=True)
class DisclosurePage:
    """One page of the projects, by title. `number` counts from 1."""

    items: Sequence[DisclosedItem]
    number: int
    pages: int


def list_page(session: Session, wanted: str, number: int) -> DisclosurePage:
    """The projects whose title, or one of whose holders, has `wanted` in it; all if it is empty."""
    query = _projects(session, wanted)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    pages = max(1, -(-total // PAGE_SIZE))
    number = min(max(1, number), pages)
    found = session.scalars(
        _order_by_title(query).limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)
    ).all()
    return DisclosurePage(_load_items(session, found), number, pages)


def iter_all(session: Session, wanted: str) -> Iterator[DisclosedItem]:
    """All of them, read in portions."""
    query, start = _order_by_title(_projects(session, wanted)), 0
    while found := session.scalars(query.limit(PAGE_SIZE).offset(start)).all():
        yield from _load_items(session, found)
        start += len(found)


def _projects(session: Session, wanted: str) -> Select[Project]:
    ours = Project.council_id.in_(select(Council.id).where(Council.slug.is_not(None)))
    is_shown = (Project.state == ProjectState.published) & (
        Project.visibility != Visibility.private
    )
    got = exists().where(Disclosure.object_uri == Project.uri)
    query = select(Project).where(ours, or_(is_shown, got))
    if not wanted:
        return query
    hosts = session.scalars(select(Disclosure.host).where(_matches_host(wanted)).distinct()).all()
    about = PluginDocument.project_uri == Project.uri
    document = exists().where(
        Disclosure.object_uri == PluginDocument.uri, about, Disclosure.host.in_(hosts)
    )
    held = exists().where(Disclosure.object_uri == Project.uri, Disclosure.host.in_(hosts))
    return query.where(
        or_(_contains(Project.title, wanted), held, document, _was_listed_for(session, hosts))
    )


def _matches_host(wanted: str) -> ColumnElement[bool]:
    """Of servers whose host, or the name of whose council, has `wanted` in it."""
    named = select(Actor.host).where(Actor.kind == COUNCIL_KIND, _contains(Actor.name, wanted))
    return or_(_contains(Disclosure.host, wanted), Disclosure.host.in_(named))


def _contains(column: "SQLColumnExpression[str]", wanted: str) -> ColumnElement[bool]:
    return func.lower(column).contains(wanted.lower(), autoescape=True)


def _was_listed_for(session: Session, hosts: Sequence[str]) -> ColumnElement[bool]:
    """Of projects that were in our whole list when one of `hosts` read it."""
    list_uri = councils.require_own(session).actor.projects or ""
    return exists().where(
        Disclosure.object_uri == list_uri,
        Disclosure.host.in_(hosts),
        Project.visibility == Visibility.public,
        Project.state == ProjectState.published,
        Disclosure.last_at >= Project.published_at,
    )


def _order_by_title(query: Select[Project]) -> Select[Project]:
    return query.order_by(func.lower(Project.title), Project.id)


def _load_items(session: Session, projects: Sequence[Project]) -> list[DisclosedItem]:
    documents = _documents(session, [project.uri for project in projects])
    uris = [project.uri for project in projects]
    uris += [each.uri for several in documents.values() for each in several]
    list_uri = councils.require_own(session).actor.projects or ""
    held = _load_holders(session, [*uris, list_uri])
    return [
        DisclosedItem(
            project.uri,
            project.title,
            _with_readers(project, held[project.uri], held[list_uri]),
            [
                DisclosedItem(each.uri, each.name, held[each.uri])
                for each in documents[project.uri]
                if held[each.uri]
            ],
        )
        for project in projects
    ]


def _with_readers(
    project: Project, holders: list[DisclosureHolder], readers: Iterable[DisclosureHolder]
) -> list[DisclosureHolder]:
    """`holders`, and those of `readers` of our whole list in whose copy a public project was."""
    known = {each.host for each in holders}
    is_public = project.visibility is Visibility.public and project.state is ProjectState.published
    more = [
        replace(each, how=READ_FROM_LIST)
        for each in readers
        if is_public
        and each.host not in known
        and project.published_at is not None
        and each.last_at >= project.published_at
    ]
    return sorted([*holders, *more], key=lambda each: each.name.casefold())


def _documents(session: Session, uris: Sequence[str]) -> Mapping[str, list[PluginDocument]]:
    ours = PluginDocument.council_id.in_(select(Council.id).where(Council.slug.is_not(None)))
    query = select(PluginDocument).where(PluginDocument.project_uri.in_(uris), ours)
    found: dict[str, list[PluginDocument]] = defaultdict(list)
    for row in session.scalars(query.order_by(PluginDocument.id)):
        found[row.project_uri or ""].append(row)
    return found


def _load_holders(session: Session, uris: Sequence[str]) -> Mapping[str, list[DisclosureHolder]]:
    """Who has what has these ids."""
    rows = session.scalars(select(Disclosure).where(Disclosure.object_uri.in_(uris))).all()
    names = _names(session, {row.host for row in rows})
    found: dict[str, list[DisclosureHolder]] = defaultdict(list)
    for row in rows:
        name = ", ".join(names.get(row.host, [])) or row.host
        times = row.first_at, row.last_at, row.deleted_at
        found[row.object_uri].append(DisclosureHolder(name, row.host, row.type, *times))
    return found


def _names(session: Session, hosts: set[str]) -> Mapping[str, list[str]]:
    """The names of the councils at each host."""
    is_council = Actor.host.in_(hosts), Actor.kind == COUNCIL_KIND
    query = select(Actor.host, Actor.name).where(*is_council).order_by(Actor.name)
    found: dict[str, list[str]] = defaultdict(list)
    for host, name in session.execute(query):
        found[host].append(name)
    return found


# The columns of the table, in their order.
TABLE_COLUMNS = (
    "project",
    "document",
    "address",
    "council",
    "server",
    "how",
    "first",
    "last",
    "deleted",
)


def to_rows(holdings: Iterable[DisclosedItem]) -> Iterator[dict[str, str]]:
    """A row for each holder of each project and document."""
    for project in holdings:
        for thing in (project, *project.documents):
            for holder in thing.holders:
                yield {
                    "project": project.title,
                    "document": "" if thing is project else thing.title,
                    "address": thing.uri,
                    "council": holder.name,
                    "server": holder.host,
                    "how": "fetched" if holder.how in {FETCHED, READ_FROM_LIST} else "sent",
                    "first": holder.first_at.isoformat(timespec="seconds"),
                    "last": holder.last_at.isoformat(timespec="seconds"),
                    "deleted": (
                        holder.deleted_at.isoformat(timespec="seconds") if holder.deleted_at else ""
                    ),
                }
