"""Where the checklists plugin meets the node."""

from pathlib import Path

from flask import Blueprint
from flask_babel import lazy_gettext as _l

from node.api import (
    API_VERSION,
    NavigationItem,
    Permission,
    PluginDetails,
    ProjectView,
    Section,
    Work,
    hookimpl,
)
from plugins.checklists import service, views


@hookimpl
def plugin_details() -> PluginDetails:
    return PluginDetails(
        name="checklists",
        label=_l("Checklists"),
        version="0.1.0",
        api_version=API_VERSION,
        about=_l("Asks of a project what good digital work looks like, and shows how far it is."),
        migrations=Path(__file__).parent / "migrations",
        translations=Path(__file__).parent / "translations",
    )


@hookimpl
def register_blueprints() -> list[Blueprint]:
    return [views.blueprint()]


@hookimpl
def register_navigation() -> list[NavigationItem]:
    return [NavigationItem(_l("Checklists"), "checklists.index")]


@hookimpl
def register_permissions() -> list[Permission]:
    return [Permission(views.ANSWER, _l("Answer checklists"), frozenset({"officer", "operator"}))]


@hookimpl
def project_sections(project: ProjectView, work: Work) -> list[Section]:
    progress = service.progress_of(work.session, project.uri)
    context = {"project": project, "progress": progress, "permission": views.ANSWER}
    return [Section(_l("Checklists"), "checklists/section.html", context)]


@hookimpl
def project_deleted(project: ProjectView, work: Work) -> None:
    service.forget(work, project.uri)
