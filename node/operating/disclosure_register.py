"""The sharing record: our projects, each with the councils and servers that have a copy.

Coordinators use it to answer questions from the public. Read-only.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, exists, func, or_, select
from sqlalchemy.orm import Session

from node.access.viewer import ANONYMOUS, LOCAL_USER
from node.access.visibility import Visibility
from node.councils import service as councils
from node.councils import visibility as council_visibility
from node.federating.models import Actor, Disclosure
from node.federating.outbound.disclosures import FETCH_TYPE
from node.pagination import Page, page_by_number
from node.plugin_documents.models import PluginDocument
from node.projects.models import Project
from node.projects.visibility import is_fetchable_by

PAGE_SIZE = 50
# Actors of this kind give a server its display name.
COUNCIL_KIND = "Organization"
# `DisclosureHolder.how` of servers that read our whole list of projects.
READ_FROM_LIST = "List"


@dataclass(frozen=True)
class DisclosureHolder:
    """A server that has a copy of an item. `name` is that of its councils, else its host.

    `how` is the type of the last activity that sent the item, `Fetch` if the server fetched it, or
    `List` if the server read our whole list of projects. `deleted_at` is when the server confirmed
    the deletion of its copy.
    """

    name: str
    host: str
    how: str
    first_at: datetime
    last_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True)
class DisclosedItem:
    """A project of ours, or a document about one, with the servers that have a copy. `title` is
    empty for a deleted item.
    """

    uri: str
    title: str
    holders: Sequence[DisclosureHolder]
    documents: Sequence["DisclosedItem"] = ()


def list_page(session: Session, search_text: str, number: int) -> Page[DisclosedItem]:
    """The projects whose title or holders contain `search_text`, by title; all projects if it is
    empty.
    """
    query = _order_by_title(_select_projects(session, search_text))
    page = page_by_number(session, query, number, PAGE_SIZE)
    return page.with_rows(_load_items(session, page.rows))


def iter_all(session: Session, search_text: str) -> Iterator[DisclosedItem]:
    """All projects whose title or holders contain `search_text`, loaded in batches."""
    query = _order_by_title(_select_projects(session, search_text))
    batches = session.scalars(query.execution_options(yield_per=PAGE_SIZE)).partitions()
    for projects in batches:
        yield from _load_items(session, projects)


def _select_projects(session: Session, search_text: str) -> Select[Project]:
    is_ours = council_visibility.is_own(Project.council_id)
    is_shown = is_fetchable_by(LOCAL_USER)
    was_disclosed = exists().where(Disclosure.object_uri == Project.uri)
    query = select(Project).where(is_ours, or_(is_shown, was_disclosed))
    if not search_text:
        return query
    hosts = session.scalars(
        select(Disclosure.host).where(_matches_host(search_text)).distinct()
    ).all()
    is_about_project = PluginDocument.project_uri == Project.uri
    document_held = exists().where(
        Disclosure.object_uri == PluginDocument.uri, is_about_project, Disclosure.host.in_(hosts)
    )
    held = exists().where(Disclosure.object_uri == Project.uri, Disclosure.host.in_(hosts))
    return query.where(
        or_(
            _contains(Project.title, search_text),
            held,
            document_held,
            _was_listed_for(session, hosts),
        )
    )


def _matches_host(search_text: str) -> ColumnElement[bool]:
    """Condition for disclosures to servers whose host or council name contains `search_text`."""
    matching_councils = select(Actor.host).where(
        Actor.kind == COUNCIL_KIND, _contains(Actor.name, search_text)
    )
    return or_(_contains(Disclosure.host, search_text), Disclosure.host.in_(matching_councils))


def _contains(column: "SQLColumnExpression[str]", search_text: str) -> ColumnElement[bool]:
    return func.lower(column).contains(search_text.lower(), autoescape=True)


def _was_listed_for(session: Session, hosts: Sequence[str]) -> ColumnElement[bool]:
    """Condition for projects that were in our list of projects when one of `hosts` read it."""
    list_uri = councils.require_own(session).actor.projects or ""
    return exists().where(
        Disclosure.object_uri == list_uri,
        Disclosure.host.in_(hosts),
        is_fetchable_by(ANONYMOUS),
        Disclosure.last_at >= Project.published_at,
    )


def _order_by_title(query: Select[Project]) -> Select[Project]:
    return query.order_by(func.lower(Project.title), Project.id)


def _load_items(session: Session, projects: Sequence[Project]) -> list[DisclosedItem]:
    documents = _load_documents(session, [project.uri for project in projects])
    uris = [project.uri for project in projects]
    uris += [document.uri for group in documents.values() for document in group]
    list_uri = councils.require_own(session).actor.projects or ""
    holders = _load_holders(session, [*uris, list_uri])
    return [
        DisclosedItem(
            project.uri,
            project.title,
            _with_readers(project, holders[project.uri], holders[list_uri]),
            [
                DisclosedItem(document.uri, document.name, holders[document.uri])
                for document in documents[project.uri]
                if holders[document.uri]
            ],
        )
        for project in projects
    ]


def _with_readers(
    project: Project, holders: list[DisclosureHolder], readers: Iterable[DisclosureHolder]
) -> list[DisclosureHolder]:
    """`holders`, and the `readers` of our list of projects that found a public project in it."""
    known_hosts = {holder.host for holder in holders}
    is_public = project.effective_visibility is Visibility.public
    list_readers = [
        replace(reader, how=READ_FROM_LIST)
        for reader in readers
        if is_public
        and reader.host not in known_hosts
        and project.published_at is not None
        and reader.last_at >= project.published_at
    ]
    return sorted([*holders, *list_readers], key=lambda holder: holder.name.casefold())


def _load_documents(session: Session, uris: Sequence[str]) -> Mapping[str, list[PluginDocument]]:
    is_ours = council_visibility.is_own(PluginDocument.council_id)
    query = select(PluginDocument).where(PluginDocument.project_uri.in_(uris), is_ours)
    documents: dict[str, list[PluginDocument]] = defaultdict(list)
    for row in session.scalars(query.order_by(PluginDocument.id)):
        documents[row.project_uri or ""].append(row)
    return documents


def _load_holders(session: Session, uris: Sequence[str]) -> Mapping[str, list[DisclosureHolder]]:
    """The holders of the objects with these ids, by id."""
    rows = session.scalars(select(Disclosure).where(Disclosure.object_uri.in_(uris))).all()
    names = _load_council_names(session, {row.host for row in rows})
    holders: dict[str, list[DisclosureHolder]] = defaultdict(list)
    for row in rows:
        name = ", ".join(names.get(row.host, [])) or row.host
        times = row.first_at, row.last_at, row.deleted_at
        holders[row.object_uri].append(DisclosureHolder(name, row.host, row.type, *times))
    return holders


def _load_council_names(session: Session, hosts: set[str]) -> Mapping[str, list[str]]:
    """The names of the councils at each host."""
    is_council = Actor.host.in_(hosts), Actor.kind == COUNCIL_KIND
    query = select(Actor.host, Actor.name).where(*is_council).order_by(Actor.name)
    names: dict[str, list[str]] = defaultdict(list)
    for host, name in session.execute(query):
        names[host].append(name)
    return names


# The columns of the CSV file, in order.
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


def to_rows(projects: Iterable[DisclosedItem]) -> Iterator[dict[str, str]]:
    """A row for each holder of each project and document."""
    for project in projects:
        for item in (project, *project.documents):
            for holder in item.holders:
                yield {
                    "project": project.title,
                    "document": "" if item is project else item.title,
                    "address": item.uri,
                    "council": holder.name,
                    "server": holder.host,
                    "how": "fetched" if holder.how in {FETCH_TYPE, READ_FROM_LIST} else "sent",
                    "first": holder.first_at.isoformat(timespec="seconds"),
                    "last": holder.last_at.isoformat(timespec="seconds"),
                    "deleted": (
                        holder.deleted_at.isoformat(timespec="seconds") if holder.deleted_at else ""
                    ),
                }
