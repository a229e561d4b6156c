"""Access checks and the sharing record for documents that another server fetches."""

from collections.abc import Iterable

from node.access.viewer import Viewer
from node.access.visibility import Visibility, can_fetch
from node.errors import NotFoundError
from node.federating.outbound import disclosures
from node.messages import msg
from node.principal import Principal
from node.projects.models import Project
from node.request import current_node


def disclose(documents: Iterable[tuple[str, Project]], viewer: Viewer) -> None:
    """Check and record that `viewer` gets the documents with these ids, which belong to these
    projects.

    Documents for peers are written to the sharing record. Raises `NotFoundError`.
    """
    for_peers = []
    for uri, project in documents:
        if not can_fetch(viewer, project.resource):
            raise NotFoundError(msg("Project not found."))
        if project.visibility is Visibility.peers:
            for_peers.append(uri)
    if viewer.host and for_peers:
        with current_node().work(by=Principal.actor(viewer.host)) as work:
            for uri in for_peers:
                disclosures.record_fetch(work.session, uri, viewer.host)


def record_collection_read(uri: str, viewer: Viewer) -> None:
    """Record that an authenticated server has read a whole collection of ours."""
    if viewer.host:
        with current_node().work(by=Principal.actor(viewer.host)) as work:
            disclosures.record_fetch(work.session, uri, viewer.host)
