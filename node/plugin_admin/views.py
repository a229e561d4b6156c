"""The operator's pages about plugins: which there are, what each may do, what it is set to."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from node.errors import InvalidInputError, MoothallError, NotFoundError
from node.forms import BaseForm
from node.hooks import Hooks
from node.messages import msg
from node.operating import OPERATE
from node.plugin_admin import enablement, failures, service, setting_values
from node.plugin_admin.forms import settings_form
from node.plugin_admin.models import PluginJob
from node.plugin_declarations import Setting
from node.request import current_node, current_work, keeps_text, permission

blueprint = Blueprint(
    "extending", __name__, url_prefix="/operator/plugins", template_folder="templates"
)


@blueprint.get("")
@permission(OPERATE)
def index() -> ResponseReturnValue:
    """Every plugin, and what any of them raised."""
    session = current_work().session
    return render_template(
        "extending/index.html",
        plugins=service.list_plugins(current_node(), session),
        failures=failures.list_failures(session),
    )


@blueprint.get("/<name>")
@permission(OPERATE)
def show(name: str) -> ResponseReturnValue:
    """What a plugin may do, before it is switched on and after."""
    node, session = current_node(), current_work().session
    plugin = service.get_plugin(node, session, name)
    hooks, wrong = _load_hooks(plugin)
    return render_template(
        "extending/plugin.html",
        plugin=plugin,
        details=next((item for item in hooks.details if item.name == name), None),
        abilities=service.list_abilities(hooks, name, plugin.tables),
        wrong=wrong,
        jobs=session.query(PluginJob).filter_by(plugin=name).order_by(PluginJob.name).all(),
        failures=failures.list_failures(session, name),
        may_be_set=plugin.is_running and bool(hooks.registered_by(name, "register_settings")),
        form=FlaskForm(),
    )


@blueprint.post("/<name>/enable")
@permission(OPERATE)
def enable(name: str) -> ResponseReturnValue:
    try:
        enablement.enable(current_work(), name)
    except MoothallError as error:
        return _redirect_with_error(name, error)
    flash(_("The plugin is switched on. Restart the server to start using it."), "success")
    return redirect(url_for("extending.show", name=name), 303)


@blueprint.post("/<name>/disable")
@permission(OPERATE)
def disable(name: str) -> ResponseReturnValue:
    try:
        enablement.disable(current_work(), name)
    except MoothallError as error:
        return _redirect_with_error(name, error)
    flash(
        _("The plugin is switched off. Restart the server to stop using it."),
        "success",
    )
    return redirect(url_for("extending.show", name=name), 303)


@blueprint.get("/<name>/settings")
@permission(OPERATE)
def edit(name: str) -> ResponseReturnValue:
    declared = _declared_settings(name)
    hooks, session = current_node().hooks, current_work().session
    now = {
        item.name: setting_values.get_value(session, hooks, name, item.name) for item in declared
    }
    return _render_settings(name, settings_form(declared, now))


@blueprint.post("/<name>/settings")
@permission(OPERATE)
@keeps_text
def change(name: str) -> ResponseReturnValue:
    declared = _declared_settings(name)
    form = settings_form(declared)
    if not form.validate_on_submit():
        return _render_settings(name, form), 400
    try:
        setting_values.set_values(
            current_work(), name, {item.name: form[item.name].data for item in declared}
        )
    except InvalidInputError as error:
        form.show(error)
        return _render_settings(name, form), 400
    flash(_("The settings are saved."), "success")
    return redirect(url_for("extending.show", name=name), 303)


def _load_hooks(plugin: service.PluginStatus) -> tuple[Hooks, str]:
    """The plugin as this process uses it, or loaded by itself; and why it cannot be used."""
    hooks = current_node().hooks
    if plugin.is_running or not plugin.is_installed:
        return hooks, plugin.problem
    try:
        return service.load_alone(plugin.name), plugin.problem
    except MoothallError as error:
        return hooks, error.safe_text


def _declared_settings(name: str) -> list[Setting]:
    found: list[Setting] = current_node().hooks.registered_by(name, "register_settings")
    if not found:
        raise NotFoundError(msg("This plugin has no settings."))
    return found


def _render_settings(name: str, form: BaseForm) -> str:
    details = next(item for item in current_node().hooks.details if item.name == name)
    return render_template("extending/settings.html", details=details, form=form)


def _redirect_with_error(name: str, error: MoothallError) -> ResponseReturnValue:
    """Why it cannot be done; nothing has been written."""
    flash(error.safe_text, "error")
    return redirect(url_for("extending.show", name=name), 303)
