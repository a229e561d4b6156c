"""The only door for plugins: what is here stays as it is for as long as `API_VERSION` does.

`docs/plugins/reference.md` describes every hook, every type and every function with an example.

Hooks, and what they take and give
    `hookimpl`, `API_VERSION`; see `node.hookspecs`, `node.plugin_declarations` and
    `node.plugin_views`.
Tables
    `Base`, the declarative base; `Uri`, the column type of ids; `now`, the time with its zone;
    `insert_once`, which inserts a row unless it is there already.
Pages
    `permission` and `PUBLIC` mark a view with what it needs (a view without is not served); `may`
    says whether the reader has a permission. `BaseForm` is a form in the house style, which may
    have a `DayField`; `VersionedForm` is one of what two may change at once. `keeps_text` marks a
    view to which one is sent, so that nothing typed is lost; `language` is that of the page.
    Templates extend `layout.html` and use the macros in `components/`.
Errors
    `InvalidInputError`, `NotFoundError`, `ForbiddenError`, `ConflictError`, `GoneError`: raised by
    a service, worded for people with `say` and `msg_count`, and shown by the node in the reader's
    language. `said` gives such a sentence, or one of the plugin's data that its catalogue has, in
    that language: for views and templates.
Plain text
    `trim` what a person typed, and `misfit` says why it cannot be kept; `one_line` and
    `several_lines` clean what others sent.
The transaction
    `work`, a plugin's part of it: of this request, or of a command. Hooks and jobs are given one.
Looking up, as far as whoever asks may see
    `project`, `project_by_uri`, `projects`; `council`, `councils`, `council_by_uri`; `person`,
    `people`, `person_by_id`; `setting`.
Acting
    `publish` and `withdraw` a `Document`; `documents` and `document` read those of everybody,
    `documented` says what there are some about;
    `send_activity`; `tell` people; `reindex` a project; `run_soon`, a job.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import has_request_context
from flask_security import current_user

from federation.vocabulary import Activity
from node.councils import service as _councils
from node.db import Base, insert_once, now
from node.errors import (
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidInputError,
    NotFoundError,
)
from node.events import service as _news
from node.federating import local_uris as _addresses
from node.federating import outbox as _publishing
from node.federating.models import Uri
from node.federating.viewer import Viewer
from node.federating.views.current_viewer import current_viewer
from node.forms import BaseForm, DayField, VersionedForm
from node.hooks import open_plugin_work
from node.hookspecs import API_VERSION, hookimpl
from node.languages import page_language as language
from node.languages import translate
from node.markup import is_local_path
from node.messages import msg, msg_count
from node.offline import offline
from node.people import service as _people
from node.people.permissions import ROLES as _ROLES
from node.people.permissions import has_permission
from node.plugin_admin import jobs as _jobs
from node.plugin_admin import setting_values as _values
from node.plugin_declarations import (
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
from node.plugin_documents import service as _documents
from node.plugin_documents.service import Document
from node.plugin_views import (
    ActivityView,
    CouncilView,
    DemoView,
    DocumentView,
    PersonView,
    ProjectView,
    Work,
)
from node.projects import plugin_view as _viewing
from node.projects import reindex_queue as _marks
from node.projects import service as _projects
from node.request import PUBLIC, current_node, current_work, keeps_text, permission
from node.runtime import UnitOfWork
from node.text import misfit, one_line, several_lines, trim

__all__ = [
    "API_VERSION",
    "PUBLIC",
    "ActivityView",
    "Base",
    "BaseForm",
    "Check",
    "ConflictError",
    "CouncilView",
    "DayField",
    "DemoView",
    "DeskStep",
    "Document",
    "DocumentField",
    "DocumentType",
    "DocumentView",
    "Facet",
    "ForbiddenError",
    "GoneError",
    "InvalidInputError",
    "NavigationItem",
    "NotFoundError",
    "NotificationType",
    "Permission",
    "PersonView",
    "PluginDetails",
    "ProjectView",
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
    "documented",
    "documents",
    "has_permission",
    "hookimpl",
    "insert_once",
    "keeps_text",
    "language",
    "misfit",
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
    "publish",
    "reindex",
    "run_soon",
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
    """`plugin`'s part of the transaction of this request, which the node commits at its end; in a
    command, a transaction of its own, which is committed at the end of the block.

    An exception that leaves the block undoes what was done in it.
    """
    if has_request_context():
        current_viewer()  # to find out may end what was begun
        with open_plugin_work(current_work(), plugin) as part:
            yield part
        return
    by = f"command line: {plugin}"
    with current_node().work(by=by) as whole, offline(), open_plugin_work(whole, plugin) as part:
        yield part


def project(token: str) -> ProjectView:
    """The project with this token, ours or another council's, as far as whoever asks may see it; a
    draft for those who may edit it.

    Raises `NotFoundError` where there is none for them, and `GoneError` where it was deleted.
    """
    reader = current_viewer()
    found = _projects.by_token(current_work().session, token, reader, drafts=True)
    return _viewing.to_plugin_view(found)


def project_by_uri(work: Work, uri: str) -> ProjectView | None:
    """The published project with this id, if whoever asks may see it; in a job or a command, if it
    is shown here at all.
    """
    found = _projects.by_uri(work.session, uri, _reader())
    return _viewing.to_plugin_view(found) if found else None


def projects(work: Work) -> list[ProjectView]:
    """All of our own, drafts too, by title: to choose from, for those who may write them."""
    return _viewing.list_own(work.session)


def council(work: Work) -> CouncilView:
    """Our own. Raises `NotFoundError` before the node is set up."""
    return _councils.to_plugin_view(_councils.require_own(work.session))


def councils(work: Work) -> list[CouncilView]:
    """Ours, and then those that it follows, by name."""
    own = _councils.own(work.session)
    followed = _councils.list_followed(work.session)
    accepted = [item.council for item in followed if item.follow.state == "accepted"]
    return [_councils.to_plugin_view(item) for item in ([own] if own else []) + accepted]


def council_by_uri(work: Work, uri: str) -> CouncilView | None:
    """The council with this id, if it is known here."""
    found = _councils.by_actor_uri(work.session, uri)
    return _councils.to_plugin_view(found) if found else None


def person() -> PersonView | None:
    """Who makes this request, if they are signed in."""
    if not has_request_context() or not current_user.is_authenticated:
        return None
    return _people.to_plugin_view(current_user)


def people(work: Work, *roles: str) -> list[PersonView]:
    """The people here whose accounts are in use, by name; those with one of `roles`, if any."""
    found = _people.list_with_roles(work.session, roles or _ROLES)
    return [_people.to_plugin_view(user) for user in found]


def person_by_id(work: Work, id: int) -> PersonView | None:  # noqa: A002 -- the word of the field
    """Somebody here, whether their account is in use or not."""
    found = _people.by_id(work.session, id)
    return _people.to_plugin_view(found) if found else None


def setting(work: Work, name: str) -> str | int | bool:
    """What the operator set, or else the default of what the plugin declared by this name."""
    return _values.get_value(work.session, _unit(work).node.hooks, work.plugin, name)


def publish(work: Work, document: Document) -> DocumentView:
    """Give `document` an id and send it to whoever follows our council; with the `id` of an earlier
    one, change that. Where nothing changed, nothing is sent. One that was withdrawn meanwhile
    becomes a new one, with a new id.

    Raises `InvalidInputError` for fields that do not fit the type, `ConflictError` for one about a
    project that other councils cannot see.
    """
    unit = _unit(work)
    plugin, kind = unit.node.hooks.document_types[document.type]
    if plugin != work.plugin:
        raise KeyError(f"{work.plugin} declares no documents {document.type}")
    return _documents.to_plugin_view(_documents.publish(unit, plugin, kind, document), kind)


def withdraw(work: Work, id: str) -> None:  # noqa: A002
    """Delete a document of ours here and, as far as others comply, everywhere. One that was
    withdrawn before stays so. Raises `NotFoundError`.
    """
    _documents.withdraw(_unit(work), work.plugin, id)


def documents(
    work: Work,
    type: str,  # noqa: A002
    *,
    project_uri: str | None = None,
    council_uri: str | None = None,
    fields: Mapping[str, str | int | bool] | None = None,
) -> list[DocumentView]:
    """The documents of a type of this plugin, ours and those of the councils that ours follows,
    newest first, 1,000 at most: those that whoever asks may see; in a job or a command, all.
    """
    plugin, kind = _unit(work).node.hooks.document_types[type]
    if plugin != work.plugin:
        raise KeyError(f"{work.plugin} declares no documents {type}")
    rows = _documents.list_documents(
        work.session,
        type,
        _reader(),
        project_uri=project_uri,
        council_uri=council_uri,
        fields=fields,
    )
    return [_documents.to_plugin_view(row, kind) for row in rows]


def documented(work: Work, type: str, project_uris: Collection[str]) -> set[str]:  # noqa: A002
    """Those of some projects about which there are documents of a type of this plugin that whoever
    asks may see; in a job or a command, any.
    """
    plugin, _kind = _unit(work).node.hooks.document_types[type]
    if plugin != work.plugin:
        raise KeyError(f"{work.plugin} declares no documents {type}")
    return _documents.projects_with_documents(work.session, type, _reader(), project_uris)


def document(work: Work, id: str) -> DocumentView:  # noqa: A002
    """One document. Raises `NotFoundError`, and `GoneError` for one of ours that was withdrawn."""
    row = _documents.by_uri(work.session, id, _reader())
    plugin, kind = _unit(work).node.hooks.document_types.get(row.type, ("", None))
    if kind is None or plugin != work.plugin:
        raise NotFoundError(msg("There is no such document."))
    return _documents.to_plugin_view(row, kind)


def send_activity(
    work: Work,
    type: str,  # noqa: A002
    to_uri: str,
    object: str | Mapping[str, Any],  # noqa: A002
) -> str:
    """Send an activity of one of the types that this plugin declared to a council that is known
    here, for nobody else to read. Returns its id. Raises `NotFoundError` for an unknown council.
    """
    unit = _unit(work)
    if type not in unit.node.hooks.registered_by(work.plugin, "register_activities"):
        raise KeyError(f"{work.plugin} declares no activities {type}")
    to = _councils.by_actor_uri(work.session, to_uri)
    if to is None or to.is_local:
        raise NotFoundError(msg("There is no such council here."))
    actor = _councils.require_own(work.session).actor
    uri = _addresses.new_activity(unit.settings)
    about = object if isinstance(object, str) else dict(object)
    activity = Activity(uri, type, actor.uri, about, to=(to.actor.uri,)).dump()
    _publishing.send(unit, actor, activity, to.actor)
    return uri


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
    """Tell people here of something, by a kind of notices that this plugin declared: those with the
    ids `to`, all who have one of `roles`, and whom the kind says besides. Whoever does it is not
    told, nor anybody of a project that they may not see. `path` is where the notice leads, such as
    `/checklists/abc`; by default the project's page. `details` are the words of its sentence.
    """
    unit = _unit(work)
    if not kind.startswith(f"{work.plugin}.") or kind not in unit.node.notification_kinds:
        raise KeyError(f"{work.plugin} declares no notices {kind}")
    if path and not is_local_path(path):
        raise ValueError(f"{path} is no address of this node")
    found = _viewing.find_id(work.session, project_uri) if project_uri else None
    words: dict[str, Any] = dict(details)
    _news.record_event(
        unit,
        unit.node.notification_kinds[kind],
        project_id=found,
        to=to,
        roles=roles,
        path=path,
        **words,
    )


def reindex(work: Work, project_uri: str) -> None:
    """Ask `facet_values` of a project again, soon after the commit."""
    _marks.enqueue(work.session, [project_uri])


def run_soon(work: Work, name: str) -> None:
    """Run a job of this plugin after the commit, and then again when it is due."""
    _jobs.schedule_now(_unit(work), work.plugin, name)


def _unit(work: Work) -> UnitOfWork:
    unit: UnitOfWork = work._unit
    return unit


def _reader() -> Viewer | None:
    """Who asks; None for the node itself."""
    return current_viewer() if has_request_context() else None
