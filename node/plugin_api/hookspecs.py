"""Every hook that a plugin may implement.

A plugin is a module with an entry point in the group `moothall.plugins`. It marks each function
that implements a hook with `node.api.hookimpl`; the function may omit arguments that it does not
need. Text that people read is returned as `lazy_gettext`, so that the node can translate it.
Hooks named `register_…` are called once, when the node starts; the others when the event happens.
Their arguments and results are the frozen types of `node.plugin_api.declarations` and
`node.plugin_api.info`.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import click
import pluggy
from flask import Blueprint

from node.plugin_api.declarations import (
    Check,
    DeskStep,
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
from node.plugin_api.info import ActivityInfo, DemoInfo, DocumentInfo, PersonInfo, ProjectInfo, Work

PROJECT_NAME = "moothall"

# Version of the plugin API of this node. Incremented by changes that break existing plugins.
API_VERSION = 1

hookspec = pluggy.HookspecMarker(PROJECT_NAME)
hookimpl = pluggy.HookimplMarker(PROJECT_NAME)


class HookSpecs(Protocol):
    """The hooks. Each plugin is called separately; errors are logged and its result is ignored."""

    @hookspec
    def plugin_details(self) -> PluginDetails:
        """Return the plugin's name, version and API version. Required; called before all others."""

    @hookspec
    def register_blueprints(self) -> list[Blueprint]:
        """Return the plugin's pages: new blueprints named `<plugin>` or `<plugin>_<suffix>`, for
        one application.
        """

    @hookspec
    def register_navigation(self) -> list[NavigationItem]:
        """Return items of the service navigation."""

    @hookspec
    def register_permissions(self) -> list[Permission]:
        """Return permissions, named `<plugin>.<permission>`."""

    @hookspec
    def project_sections(self, project: ProjectInfo, work: Work) -> list[Section]:
        """Return sections of a project's page, for all who can see it. `work` is for reading."""

    @hookspec
    def project_deleted(self, project: ProjectInfo, work: Work) -> None:
        """A project was deleted, here or by its own council: delete the plugin's data about it, in
        the same transaction.
        """

    @hookspec
    def register_documents(self) -> list[DocumentType]:
        """Return types of documents that are published with `node.api.publish` and federated."""

    @hookspec
    def document_received(self, document: DocumentInfo, work: Work) -> None:
        """Another council published or changed a document of one of this plugin's types. The
        document has been validated and stored: `node.api.documents` includes it.
        """

    @hookspec
    def document_withdrawn(self, document: DocumentInfo, work: Work) -> None:
        """A document was removed, because another council withdrew it or because its project is no
        longer visible to other councils. `document` is its last version.
        """

    @hookspec
    def register_activities(self) -> list[str]:
        """Return types of activities that this plugin handles, such as `Offer`. They must not be
        types that the node itself handles.
        """

    @hookspec
    def activity_received(self, activity: ActivityInfo, work: Work) -> bool | None:
        """Handle an activity of one of the registered types, or its `Undo`; or an `Accept` or
        `Reject` that answers an activity which this plugin sent, or an `Update` or `Delete` of the
        `result` which such an answer named. Return whether it was handled; activities that no
        plugin handles are ignored.
        """

    @hookspec
    def register_facets(self) -> list[Facet]:
        """Return facets by which projects can be filtered at /projects."""

    @hookspec
    def facet_values(
        self, projects: Sequence[ProjectInfo], work: Work
    ) -> Mapping[str, Mapping[str, Collection[str]]]:
        """Return the facet values of `projects`: facet name to project `uri` to values. Called with
        many projects at once when they are indexed, so avoid a query for each. Call
        `node.api.reindex` when the values of a project change.
        """

    @hookspec
    def desk_steps(self, person: PersonInfo, work: Work) -> list[DeskStep]:
        """Return what is waiting for `person`, for their desk. `work` is for reading."""

    @hookspec
    def register_settings(self) -> list[Setting]:
        """Return settings, which the operator changes on a page of the node."""

    @hookspec
    def register_commands(self) -> list[click.Command]:
        """Return commands, which are run as `moothall <plugin> <command>`. They access the database
        with `node.api.work`.
        """

    @hookspec
    def register_jobs(self) -> list[ScheduledJob]:
        """Return jobs that run at regular intervals."""

    @hookspec
    def register_checks(self) -> list[Check]:
        """Return checks for `moothall doctor`."""

    @hookspec
    def register_notifications(self) -> list[NotificationType]:
        """Return types of notifications, named `<plugin>.<type>`, for `node.api.notify`."""

    @hookspec
    def demo(self, demo: DemoInfo, work: Work) -> None:
        """Add the plugin's data to a demonstration, after its council and projects were created."""
