"""Parses, stores and removes the projects, updates and plugin documents of other councils, from
whichever list they come.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import structlog

from federation.properties import type_of
from node.councils.models import Council
from node.plugin_api.hooks import Hooks
from node.plugin_documents import remote_documents
from node.plugin_documents.federate import RemoteDocument
from node.projects import remote_projects
from node.projects.federate import RemoteProject
from node.runtime import UnitOfWork
from node.updates import remote_updates
from node.updates.federate import RemoteUpdate

log = structlog.get_logger(__name__)

RemoteObject = RemoteProject | RemoteUpdate | RemoteDocument


def parse(document: Any) -> RemoteObject | None:
    """The project or update in a document; None for anything else."""
    if not isinstance(document, dict):
        return None
    return (
        remote_updates.parse_update(document)
        if type_of(document) == "Note"
        else remote_projects.parse_project(document)
    )


def parse_plugin_document(hooks: Hooks, document: Any) -> RemoteDocument | None:
    """The plugin document in a document; None for anything else, or if it is invalid."""
    parsed = (
        remote_documents.parse_documents(hooks, [document]) if isinstance(document, dict) else []
    )
    return parsed[0] if parsed else None


def upsert(
    work: UnitOfWork, council: Council, objects: Sequence[RemoteObject], requested_at: datetime
) -> dict[str, str]:
    """Store objects that were fetched from their origin: projects, then their updates, then plugin
    documents. Returns the reasons by URI of those left out.
    """
    project_items = [each for each in objects if isinstance(each, RemoteProject)]
    update_items = [each for each in objects if isinstance(each, RemoteUpdate)]
    plugin_documents = [each for each in objects if isinstance(each, RemoteDocument)]
    left_out = remote_projects.upsert(work, council, project_items, requested_at=requested_at)
    left_out |= remote_updates.upsert(work, council, update_items, requested_at=requested_at)
    return left_out | remote_documents.upsert(
        work, council, plugin_documents, requested_at=requested_at
    )


def remove_missing(work: UnitOfWork, council: Council, uri: str, *, deleted: bool) -> bool:
    """Remove an object that its origin does not show. `deleted`: the origin said so, so that no
    older message restores it. Returns whether we had it.
    """
    return any(
        receiver.remove_missing(work, council, uri, deleted=deleted)
        for receiver in (remote_updates, remote_projects, remote_documents)
    )


def parse_page(actor_uri: str, items: Iterable[Any], requested_at: datetime) -> Callable[..., None]:
    """Parse a page of a council's collection. Returns a function that stores it in a unit of work;
    parsing takes time, and needs no transaction.
    """
    objects, plugin_items = {}, []
    for document in items:
        if isinstance(document, dict) and remote_documents.may_be_plugin_document(document):
            plugin_items.append(document)
        elif (parsed := parse(document)) is not None:
            objects[parsed.uri] = parsed

    def store(work: UnitOfWork) -> None:
        council = remote_projects.require_followed_council(work.session, actor_uri)
        left_out = upsert(work, council, list(objects.values()), requested_at)
        plugin_documents = remote_documents.parse_documents(work.node.hooks, plugin_items)
        left_out |= remote_documents.upsert(
            work, council, plugin_documents, requested_at=requested_at
        )
        for uri, reason in left_out.items():
            log.info("collection item ignored", uri=uri, reason=reason)

    return store
