"""What is done before documents leave for another server."""

from collections.abc import Iterable

from node.errors import NotFoundError
from node.federating import disclosures
from node.federating.viewer import Viewer
from node.messages import msg
from node.projects.models import Project, Visibility
from node.request import current_node


def disclose(given: Iterable[tuple[str, Project]], reader: Viewer) -> None:
    """Before the documents with these ids leave, of or about these projects.

    What is for peers goes into the ledger. Raises `NotFoundError` where one is for our own people
    alone: of that there is no document.
    """
    for_peers = []
    for uri, project in given:
        if project.visibility is Visibility.private:
            raise NotFoundError(msg("There is no such project."))
        if project.visibility is Visibility.peers:
            for_peers.append(uri)
    if reader.host and for_peers:
        with current_node().work(by=reader.host) as work:
            for uri in for_peers:
                disclosures.record_fetch(work.session, uri, reader.host)


def record_collection_read(uri: str, reader: Viewer) -> None:
    """Note in the ledger that a server which proved itself has read a whole collection of ours."""
    if reader.host:
        with current_node().work(by=reader.host) as work:
            disclosures.record_fetch(work.session, uri, reader.host)
