"""What another council's node says of its projects and their updates, from whichever list it came:
read, kept, or removed.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import structlog

from federation.properties import type_of
from node.councils.models import Council
from node.hooks import Hooks
from node.plugin_documents import receiving as documents
from node.plugin_documents.federate import RemoteDocument
from node.projects import receiving as projects
from node.projects.federate import RemoteProject
from node.runtime import UnitOfWork
from node.updates import receiving as updates
from node.updates.federate import RemoteUpdate

log = structlog.get_logger(__name__)

RemoteObject = RemoteProject | RemoteUpdate | RemoteDocument


def parse(document: Any) -> RemoteObject | None:
    """The project or update that a document describes; None for what is neither."""
    if not isinstance(document, dict):
        return None
    return (
        updates.parse_update(document)
        if type_of(document) == "Note"
        else projects.parse_project(document)
    )


def parse_plugin_document(hooks: Hooks, document: Any) -> RemoteDocument | None:
    """The document of a plugin's type that this is; None for what is none, or does not fit it."""
    found = documents.parse_documents(hooks, [document]) if isinstance(document, dict) else []
    return found[0] if found else None


def upsert(
    work: UnitOfWork, council: Council, told: Sequence[RemoteObject], asked_at: datetime
) -> dict[str, str]:
    """Keep what was asked for at its origin: projects, then updates of them, then documents of
    plugins. Those left out, and why.
    """
    of_projects = [one for one in told if isinstance(one, RemoteProject)]
    of_updates = [one for one in told if isinstance(one, RemoteUpdate)]
    others = [one for one in told if isinstance(one, RemoteDocument)]
    left_out = projects.upsert(work, council, of_projects, asked_at=asked_at)
    left_out |= updates.upsert(work, council, of_updates, asked_at=asked_at)
    return left_out | documents.upsert(work, council, others, asked_at=asked_at)


def remove_missing(work: UnitOfWork, council: Council, uri: str, *, deleted: bool) -> bool:
    """Its origin no longer shows what we hold. `deleted`: it said so, and nothing that it sent
    before brings it back. Returns whether we had it.
    """
    return any(
        room.remove_missing(work, council, uri, deleted=deleted)
        for room in (updates, projects, documents)
    )


def read_page(actor_uri: str, items: Iterable[Any], asked_at: datetime) -> Callable[..., None]:
    """What a page of a council's collection has, ready to be kept: to be called with a
    `UnitOfWork`. Reading takes its time, and needs no transaction.
    """
    told, of_plugins = {}, []
    for document in items:
        if isinstance(document, dict) and documents.may_be_plugin_document(document):
            of_plugins.append(document)
        elif (found := parse(document)) is not None:
            told[found.uri] = found

    def store(work: UnitOfWork) -> None:
        council = projects.require_followed_council(work.session, actor_uri)
        left_out = upsert(work, council, list(told.values()), asked_at)
        others = documents.parse_documents(work.node.hooks, of_plugins)
        left_out |= documents.upsert(work, council, others, asked_at=asked_at)
        for uri, why in left_out.items():
            log.info("left out of a collection", uri=uri, why=why)

    return store
