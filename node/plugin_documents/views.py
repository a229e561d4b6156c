"""The addresses of documents: ActivityStreams JSON for servers, a redirect to a page for people."""

from collections.abc import Iterable

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from node.access.viewer import Viewer
from node.councils import service as councils
from node.errors import GoneError, NotFoundError
from node.federating.outbound import disclosures
from node.federating.views.current_viewer import current_viewer
from node.messages import msg
from node.plugin_documents import service
from node.plugin_documents.federate import to_document, to_tombstone
from node.plugin_documents.models import WITHDRAWN, PluginDocument
from node.principal import Principal
from node.projects.models import Project
from node.request import (
    PUBLIC,
    activity_response,
    current_node,
    current_work,
    permission,
    wants_activity,
)

blueprint = Blueprint("documents", __name__)


@blueprint.get("/documents/<token>")
@permission(PUBLIC)
def show(token: str) -> ResponseReturnValue:
    """A document as JSON for another server. People are redirected to the project, or to our
    council.
    """
    viewer, session = current_viewer(), current_work().session
    is_json_wanted = wants_activity()
    row = service.by_token(session, token)
    if row.state == WITHDRAWN:
        if is_json_wanted:
            return activity_response(to_tombstone(row).dump(), 410)
        raise GoneError(msg("This document has been deleted."))
    if not service.can_see(session, row, viewer):
        raise NotFoundError(msg("Document not found."))
    if not row.is_local:
        return redirect(row.uri)
    if not is_json_wanted:
        return redirect(_page_url(row))
    disclose([row], viewer)
    return activity_response(to_document(row))


def disclose(rows: Iterable[PluginDocument], viewer: Viewer) -> None:
    """Record in the sharing record that documents for peers are sent to the viewer's server."""
    peer_only_uris = [row.uri for row in rows if row.visibility != "public"]
    if viewer.host and peer_only_uris:
        with current_node().work(by=Principal.actor(viewer.host)) as work:
            for uri in peer_only_uris:
                disclosures.record_fetch(work.session, uri, viewer.host)


def _page_url(row: PluginDocument) -> str:
    session = current_work().session
    token = session.scalar(select(Project.token).where(Project.uri == row.project_uri))
    if token is not None:
        return url_for("projects.show", token=token)
    return url_for("pages.own_council", slug=councils.require_own(session).slug)
