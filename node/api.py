"""The plugin API: everything a plugin may import. Stable as long as `API_VERSION` is the same.

`docs/plugins/reference.md` describes every hook, every type and every function with an example.

Hooks and their types
    `hookimpl`, `API_VERSION`; see `node.plugin_api.hookspecs`, `node.plugin_api.declarations` and
    `node.plugin_api.info`.
Tables
    `Base`, the declarative base; `Uri`, the column type of ids; `now`, the current time in UTC;
    `insert_once`, which inserts a row unless its unique key exists.
Pages
    `permission` declares the permission that a view needs, `PUBLIC` for none (a view without one
    is not served); `has_permission` checks the current user's. `BaseForm` is a form in the house
    style, `DateField` a date in it; `VersionedForm` detects concurrent edits. `keeps_input` marks a
    view that receives a form, so that unsaved text is kept; `language` is the page's language.
    Templates extend `layout.html` and use the macros in `components/`.
Errors
    `InvalidInputError`, `NotFoundError`, `ForbiddenError`, `ConflictError`, `GoneError`: raised by
    a service with a text from `msg` or `msg_count`; the node shows that text in the reader's
    language. Views and templates call `translate` on such a text, or on plugin data that has a
    translation in the plugin's catalogue.
Plain text
    `trim` and then check with `find_text_error` what people type; clean with `one_line` or
    `several_lines` what other servers and files contain.
The transaction
    `work`, the plugin's part of the transaction of this request or command. Hooks and jobs are
    passed one.
Looking up, limited to what the current viewer may see
    `project`, `project_by_uri`, `projects`; `council`, `councils`, `council_by_uri`; `person`,
    `people`, `person_by_id`; `setting`.
Acting
    `publish` and `withdraw` a `Document`; `documents`, `document` and `projects_with_documents`
    read ours and those of other councils; `send_activity`; `notify` people; `reindex` a project;
    `run_job_soon`, for a job.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import has_request_context
from flask_security import current_user

from node.access.permissions import ROLES as _ROLES
from node.access.permissions import has_permission
from node.access.viewer import Viewer
from node.councils import service as _councils
from node.database.tables import Base, Uri, insert_once, now
from node.errors import (
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidInputError,
    NotFoundError,
)
from node.federating.views.current_viewer import current_viewer
from node.forms import BaseForm, DateField, VersionedForm
from node.languages import page_language as language
from node.languages import translate
from node.markup import is_local_path
from node.messages import msg, msg_count
from node.notification_events import service as _events
from node.people import service as _people
from node.plugin_admin import jobs as _jobs
from node.plugin_admin import sent_activities as _sent_activities
from node.plugin_admin import setting_values as _setting_values
from node.plugin_api.declarations import (
    Check,
    DeskStep,
    DocumentField,
    DocumentType,
    Facet,
    NavigationItem,
    NotificationType,
    Permission,
    PluginDetails,
    ScheduledJob,
    Section,
    Setting,
)
from node.plugin_api.hooks import open_plugin_work
from node.plugin_api.hookspecs import API_VERSION, hookimpl
from node.plugin_api.info import (
    ActivityInfo,
    CouncilInfo,
    DemoInfo,
    DocumentInfo,
    PersonInfo,
    ProjectInfo,
    Work,
)
from node.plugin_api.offline import offline
from node.plugin_documents import service as _documents
from node.plugin_documents.service import Document
from node.principal import Principal
from node.projects import plugin_data as _project_views
from node.projects import reindex_queue as _reindex_queue
from node.projects import service as _projects
from node.request import PUBLIC, current_node, current_work, keeps_input, permission
from node.runtime import UnitOfWork
from node.text import find_text_error, one_line, several_lines, trim

__all__ = [
    "API_VERSION",
    "PUBLIC",
    "ActivityInfo",
    "Base",
    "BaseForm",
    "Check",
    "ConflictError",
    "CouncilInfo",
    "DateField",
    "DemoInfo",
    "DeskStep",
    "Document",
    "DocumentField",
    "DocumentInfo",
    "DocumentType",
    "Facet",
    "ForbiddenError",
    "GoneError",
    "InvalidInputError",
    "NavigationItem",
    "NotFoundError",
    "NotificationType",
    "Permission",
    "PersonInfo",
    "PluginDetails",
    "ProjectInfo",
    "ScheduledJob",
    "Section",
    "Setting",
    "Uri",
    "VersionedForm",
    "Work",
    "council",
    "council_by_uri",
    "councils",
    "document",
    "documents",
    "find_text_error",
    "has_permission",
    "hookimpl",
    "insert_once",
    "keeps_input",
    "language",
    "msg",
    "msg_count",
    "notify",
    "now",
    "one_line",
    "people",
    "permission",
    "person",
    "person_by_id",
    "project",
    "project_by_uri",
    "projects",
    "projects_with_documents",
    "publish",
    "reindex",
    "run_job_soon",
    "send_activity",
    "setting",
    "several_lines",
    "translate",
    "trim",
    "withdraw",
    "work",
]


@contextmanager
def work(plugin: str) -> Iterator[Work]:
    """`plugin`'s part of the transaction of this request, which the node commits when the request
    ends; in a command, a transaction of its own, committed at the end of the block.

    An exception that leaves the block rolls this part back.
    """
    if has_request_context():
        current_viewer()  # resolved first: verifying a signature may end the transaction
        with open_plugin_work(current_work(), plugin) as part:
            yield part
        return
    by = Principal.command(f"command line: {plugin}")
    with current_node().work(by=by) as unit, offline(), open_plugin_work(unit, plugin) as part:
        yield part


def project(token: str) -> ProjectInfo:
    """The project with this token, ours or another council's; a draft if the viewer may edit it.

    Raises `NotFoundError` if the viewer cannot see such a project, `GoneError` if it was deleted.
    """
    viewer = current_viewer()
    row = _projects.by_token(current_work().session, token, viewer, include_drafts=True)
    return _project_views.to_project_info(row)


def project_by_uri(work: Work, uri: str) -> ProjectInfo | None:
    """The published project with this id, if the viewer may see it; in a job or a command, if any
    user of this node may.
    """
    row = _projects.by_uri(work.session, uri, _viewer())
    return _project_views.to_project_info(row) if row else None


def projects(work: Work) -> list[ProjectInfo]:
    """All of our own projects including drafts, by title: choices for people who may edit them."""
    return _project_views.list_own(work.session)


def council(work: Work) -> CouncilInfo:
    """Our own council. Raises `NotFoundError` before the node is set up."""
    return _councils.to_council_info(_councils.require_own(work.session))


def councils(work: Work) -> list[CouncilInfo]:
    """Our council, then the councils that it follows, by name."""
    own = _councils.get_own(work.session)
    followed = _councils.list_followed(work.session)
    accepted = [item.council for item in followed if item.follow.state == "accepted"]
    return [_councils.to_council_info(row) for row in ([own] if own else []) + accepted]


def council_by_uri(work: Work, uri: str) -> CouncilInfo | None:
    """The council with this id, if this node knows it."""
    row = _councils.by_actor_uri(work.session, uri)
    return _councils.to_council_info(row) if row else None


def person() -> PersonInfo | None:
    """The user who makes this request, if they are signed in."""
    if not has_request_context() or not current_user.is_authenticated:
        return None
    return _people.to_plugin_view(current_user)


def people(work: Work, *roles: str) -> list[PersonInfo]:
    """The users with an active account, by name; with `roles`, those who have one of them."""
    users = _people.list_with_roles(work.session, roles or _ROLES)
    return [_people.to_plugin_view(user) for user in users]


def person_by_id(work: Work, id: int) -> PersonInfo | None:  # noqa: A002 -- the word of the field
    """The user with this id, whether their account is active or not."""
    user = _people.by_id(work.session, id)
    return _people.to_plugin_view(user) if user else None


def setting(work: Work, name: str) -> str | int | bool:
    """The value of the plugin's setting `name`: the operator's, or else its declared default."""
    return _setting_values.get_value(work.session, _unit(work).node.hooks, work.plugin, name)


def publish(work: Work, document: Document) -> DocumentInfo:
    """Publish `document` under a new id and send it to the followers of our council. With the `id`
    of an existing document, update that one; nothing is sent if nothing changed. If that one was
    withdrawn meanwhile, a new document with a new id is published.

    Raises `InvalidInputError` for fields that do not match the type, `ConflictError` if the
    document's project is not visible to other councils.
    """
    unit = _unit(work)
    plugin, kind = unit.node.hooks.document_types[document.type]
    if plugin != work.plugin:
        raise KeyError(f"{work.plugin} declares no documents {document.type}")
    return _documents.to_document_info(_documents.publish(unit, plugin, kind, document), kind)


def withdraw(work: Work, id: str) -> None:  # noqa: A002
    """Delete one of our documents here and ask other servers to delete their copies. Does nothing
    if the document was withdrawn before. Raises `NotFoundError`.
    """
    _documents.withdraw(_unit(work), work.plugin, id)


def documents(
    work: Work,
    type: str,  # noqa: A002
    *,
    project_uri: str | None = None,
    council_uri: str | None = None,
    fields: Mapping[str, str | int | bool] | None = None,
) -> list[DocumentInfo]:
    """The documents of one of this plugin's types, ours and those of the councils that ours
    follows, newest first, at most 1,000: those the viewer may see; in a job or a command, all.
    """
    plugin, kind = _unit(work).node.hooks.document_types[type]
    if plugin != work.plugin:
        raise KeyError(f"{work.plugin} declares no documents {type}")
    rows = _documents.list_documents(
        work.session,
        type,
        _viewer(),
        project_uri=project_uri,
        council_uri=council_uri,
        fields=fields,
    )
    return [_documents.to_document_info(row, kind) for row in rows]


def projects_with_documents(work: Work, type: str, project_uris: Collection[str]) -> set[str]:  # noqa: A002
    """Which of `project_uris` have documents of one of this plugin's types that the viewer may see;
    in a job or a command, any documents.
    """
    plugin, _kind = _unit(work).node.hooks.document_types[type]
    if plugin != work.plugin:
        raise KeyError(f"{work.plugin} declares no documents {type}")
    return _documents.projects_with_documents(work.session, type, _viewer(), project_uris)


def document(work: Work, id: str) -> DocumentInfo:  # noqa: A002
    """The document with this id. Raises `NotFoundError`, and `GoneError` if it was ours and was
    withdrawn.
    """
    row = _documents.by_uri(work.session, id, _viewer())
    plugin, kind = _unit(work).node.hooks.document_types.get(row.type, ("", None))
    if kind is None or plugin != work.plugin:
        raise NotFoundError(msg("Document not found."))
    return _documents.to_document_info(row, kind)


def send_activity(
    work: Work,
    type: str,  # noqa: A002
    to_uri: str,
    object: str | Mapping[str, Any],  # noqa: A002
    *,
    result: str | None = None,
) -> str:
    """Send an activity to one known council only. Returns the activity's id. Raises `NotFoundError`
    for an unknown council.

    `type` is one that this plugin declared; or `Accept` or `Reject`, which answers a received
    activity of such a type, with its id as `object`; or `Undo` of an activity that this plugin
    sent; or `Update` or `Delete` of an object with an id on this server. `result`, in an `Accept`,
    is the id of what came of the activity: its sender gets the `Update` and `Delete` of that.
    """
    return _sent_activities.send(_unit(work), work.plugin, type, to_uri, object, result)


def notify(
    work: Work,
    kind: str,
    *,
    project_uri: str | None = None,
    to: list[int] | tuple[int, ...] = (),
    roles: list[str] | tuple[str, ...] = (),
    path: str = "",
    **details: str,
) -> None:
    """Notify users of this node with `kind`, a `NotificationType` that this plugin declared: the
    users with the ids `to`, those with one of `roles`, and those that the type itself includes.
    The user who acts is left out, and so is everyone who cannot see the project. `path` is the
    page that the notification links to, such as `/checklists/abc`; by default the project's.
    `details` are the placeholders of its sentence.
    """
    unit = _unit(work)
    if not kind.startswith(f"{work.plugin}.") or kind not in unit.node.notification_kinds:
        raise KeyError(f"{work.plugin} declares no notifications {kind}")
    if path and not is_local_path(path):
        raise ValueError(f"{path} is not an address of this server")
    placeholders: dict[str, Any] = dict(details)
    _events.record_event(
        unit,
        unit.node.notification_kinds[kind],
        project_id=_project_views.find_id(work.session, project_uri) if project_uri else None,
        to=to,
        roles=roles,
        path=path,
        **placeholders,
    )


def reindex(work: Work, project_uri: str) -> None:
    """Have the `facet_values` hook called for a project again, soon after the commit."""
    _reindex_queue.enqueue(work.session, [project_uri])


def run_job_soon(work: Work, name: str) -> None:
    """Run this plugin's job `name` after the commit; its schedule continues from then."""
    _jobs.schedule_now(_unit(work), work.plugin, name)


def _unit(work: Work) -> UnitOfWork:
    unit: UnitOfWork = work._unit
    return unit


def _viewer() -> Viewer | None:
    """The viewer of this request; None in a job or a command."""
    return current_viewer() if has_request_context() else None
