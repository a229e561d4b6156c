"""Every hook a plugin may implement.

A plugin is a module with an entry point in the group `moothall.plugins`; it marks each function
that implements a hook with `node.api.hookimpl`. Such a function may leave out arguments it does
not need. Text that people read is given as `lazy_gettext`, so that it comes out in their language.
Hooks named `register_…` are called once, at the start, and say what there is; the others are called
when it happens. What they take and give are the frozen types of `node.plugin_declarations` and
`node.plugin_views`.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import click
import pluggy
from flask import Blueprint

from node.plugin_declarations import (
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
from node.plugin_views import ActivityView, DemoView, DocumentView, PersonView, ProjectView, Work

PROJECT_NAME = "moothall"

# The plugin interface of this node. It grows by one when a plugin made for the last would break.
API_VERSION = 1

hookspec = pluggy.HookspecMarker(PROJECT_NAME)
hookimpl = pluggy.HookimplMarker(PROJECT_NAME)


class HookSpecs(Protocol):
    """The hooks, called for one plugin at a time: one that raises is logged and left out."""

    @hookspec
    def plugin_details(self) -> PluginDetails:
        """Say who this is. Required; called first, before anything else of the plugin is used."""

    @hookspec
    def register_blueprints(self) -> list[Blueprint]:
        """Give pages: new blueprints named `<plugin>` or `<plugin>_<more>`, for one application."""

    @hookspec
    def register_navigation(self) -> list[NavigationItem]:
        """Give items of the service navigation."""

    @hookspec
    def register_permissions(self) -> list[Permission]:
        """Give permissions, named `<plugin>.<what>`."""

    @hookspec
    def project_sections(self, project: ProjectView, work: Work) -> list[Section]:
        """Give sections of the project's page, for everybody who sees it. `work` is for reading."""

    @hookspec
    def project_deleted(self, project: ProjectView, work: Work) -> None:
        """A project was deleted, here or by its own council: forget it, in the same transaction."""

    @hookspec
    def register_documents(self) -> list[DocumentType]:
        """Give types of documents that are published with `node.api.publish` and federated."""

    @hookspec
    def document_received(self, document: DocumentView, work: Work) -> None:
        """Another council published or changed a document of a type of this plugin. It has been
        checked and kept: `node.api.documents` has it.
        """

    @hookspec
    def document_withdrawn(self, document: DocumentView, work: Work) -> None:
        """A document is no longer there, and is given as it was: another council withdrew it, or
        nobody else may see the project that it is about any more.
        """

    @hookspec
    def register_activities(self) -> list[str]:
        """Give types of activities that this plugin acts on, such as `Offer`. The node itself acts
        on none of them.
        """

    @hookspec
    def activity_received(self, activity: ActivityView, work: Work) -> bool | None:
        """Act on an activity of one of these types. Returns whether it did; what is not acted on
        is ignored.
        """

    @hookspec
    def register_facets(self) -> list[Facet]:
        """Give what projects can be narrowed down by at /projects."""

    @hookspec
    def facet_values(
        self, projects: Sequence[ProjectView], work: Work
    ) -> Mapping[str, Mapping[str, Collection[str]]]:
        """Give the values that projects have of each facet, by its name: those of each project by
        its `uri`. Asked whenever projects are indexed, of many at once: a statement for each would
        be dear. `node.api.reindex` has that done again.
        """

    @hookspec
    def desk_steps(self, person: PersonView, work: Work) -> list[DeskStep]:
        """Give what waits for a person, for their desk. `work` is for reading."""

    @hookspec
    def register_settings(self) -> list[Setting]:
        """Give settings, which the operator changes on a page of the node."""

    @hookspec
    def register_commands(self) -> list[click.Command]:
        """Give commands, which are run as `moothall <plugin> <command>`. They enter the node with
        `node.api.work`.
        """

    @hookspec
    def register_jobs(self) -> list[ScheduledJob]:
        """Give jobs, each of which is run again and again."""

    @hookspec
    def register_checks(self) -> list[Check]:
        """Give questions that `moothall doctor` asks."""

    @hookspec
    def register_notifications(self) -> list[NotificationType]:
        """Give types of notifications, named `<plugin>.<what>`, for `node.api.notify`."""

    @hookspec
    def demo(self, demo: DemoView, work: Work) -> None:
        """Add to a demonstration, once its council and its projects are there."""
