"""The operator's pages about plugins: list, details, enabling and disabling, settings."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from node.access.permissions import OPERATE
from node.errors import InvalidInputError, MoothallError, NotFoundError
from node.forms import BaseForm
from node.messages import msg
from node.plugin_admin import enablement, failures, service, setting_values
from node.plugin_admin.forms import settings_form
from node.plugin_admin.models import PluginJob
from node.plugin_api.declarations import Setting
from node.plugin_api.hooks import Hooks
from node.request import current_node, current_work, keeps_input, permission

blueprint = Blueprint(
    "extending", __name__, url_prefix="/operator/plugins", template_folder="templates"
)


@blueprint.get("")
@permission(OPERATE)
def index() -> ResponseReturnValue:
    """All plugins, and the latest failures."""
    session = current_work().session
    return render_template(
        "plugin_admin/index.html",
        plugins=service.list_plugins(current_node(), session),
        failures=failures.list_failures(session),
    )


@blueprint.get("/<name>")
@permission(OPERATE)
def show(name: str) -> ResponseReturnValue:
    """One plugin: its status, what it adds, its jobs and its failures."""
    node, session = current_node(), current_work().session
    plugin = service.get_plugin(node, session, name)
    hooks, problem = _load_hooks(plugin)
    return render_template(
        "plugin_admin/plugin.html",
        plugin=plugin,
        details=next((details for details in hooks.details if details.name == name), None),
        abilities=service.list_contributions(hooks, name, plugin.tables),
        problem=problem,
        jobs=session.query(PluginJob).filter_by(plugin=name).order_by(PluginJob.name).all(),
        failures=failures.list_failures(session, name),
        has_settings=plugin.is_running
        and bool(hooks.list_registered_by(name, "register_settings")),
        form=FlaskForm(),
    )


@blueprint.post("/<name>/enable")
@permission(OPERATE)
def enable(name: str) -> ResponseReturnValue:
    try:
        enablement.enable(current_work(), name)
    except MoothallError as error:
        return _redirect_with_error(name, error)
    flash(_("The plugin has been switched on. Restart the server to start using it."), "success")
    return redirect(url_for("extending.show", name=name), 303)


@blueprint.post("/<name>/disable")
@permission(OPERATE)
def disable(name: str) -> ResponseReturnValue:
    try:
        enablement.disable(current_work(), name)
    except MoothallError as error:
        return _redirect_with_error(name, error)
    flash(
        _("The plugin has been switched off. Restart the server to stop using it."),
        "success",
    )
    return redirect(url_for("extending.show", name=name), 303)


@blueprint.get("/<name>/settings")
@permission(OPERATE)
def edit(name: str) -> ResponseReturnValue:
    settings = _declared_settings(name)
    hooks, session = current_node().hooks, current_work().session
    values = {
        setting.name: setting_values.get_value(session, hooks, name, setting.name)
        for setting in settings
    }
    return _render_settings(name, settings_form(settings, values))


@blueprint.post("/<name>/settings")
@permission(OPERATE)
@keeps_input
def change(name: str) -> ResponseReturnValue:
    settings = _declared_settings(name)
    form = settings_form(settings)
    if not form.validate_on_submit():
        return _render_settings(name, form), 400
    try:
        setting_values.set_values(
            current_work(), name, {setting.name: form[setting.name].data for setting in settings}
        )
    except InvalidInputError as error:
        form.add_errors(error)
        return _render_settings(name, form), 400
    flash(_("The settings have been saved."), "success")
    return redirect(url_for("extending.show", name=name), 303)


def _load_hooks(plugin: service.PluginStatus) -> tuple[Hooks, str]:
    """The hooks with this plugin, loaded by itself unless this process runs it, and why it cannot
    be used, or an empty string.
    """
    hooks = current_node().hooks
    if plugin.is_running or not plugin.is_installed:
        return hooks, plugin.problem
    try:
        return service.load_in_isolation(plugin.name), plugin.problem
    except MoothallError as error:
        return hooks, error.safe_text


def _declared_settings(name: str) -> list[Setting]:
    settings: list[Setting] = current_node().hooks.list_registered_by(name, "register_settings")
    if not settings:
        raise NotFoundError(msg("This plugin has no settings."))
    return settings


def _render_settings(name: str, form: BaseForm) -> str:
    details = next(details for details in current_node().hooks.details if details.name == name)
    return render_template("plugin_admin/settings.html", details=details, form=form)


def _redirect_with_error(name: str, error: MoothallError) -> ResponseReturnValue:
    """Back to the plugin's page with the error. Nothing has been written."""
    flash(error.safe_text, "error")
    return redirect(url_for("extending.show", name=name), 303)
