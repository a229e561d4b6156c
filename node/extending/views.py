"""The operator's pages about plugins: which there are, what each may do, what it is set to."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from node.declared import Setting
from node.errors import InvalidInputError, MoothallError, NotFoundError
from node.extending import failures, service, switches, values
from node.extending.forms import settings_form
from node.extending.models import PluginJob
from node.forms import HouseForm
from node.hooks import Hooks
from node.operating import OPERATE
from node.request import current_node, current_work, keeps_text, permission
from node.wording import say

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
        plugins=service.every(current_node(), session),
        failures=failures.of_all(session),
    )


@blueprint.get("/<name>")
@permission(OPERATE)
def show(name: str) -> ResponseReturnValue:
    """What a plugin may do, before it is switched on and after."""
    node, session = current_node(), current_work().session
    plugin = service.one(node, session, name)
    hooks, wrong = _hooks(plugin)
    return render_template(
        "extending/plugin.html",
        plugin=plugin,
        details=next((item for item in hooks.details if item.name == name), None),
        abilities=service.abilities(hooks, name, plugin.tables),
        wrong=wrong,
        jobs=session.query(PluginJob).filter_by(plugin=name).order_by(PluginJob.name).all(),
        failures=failures.of_all(session, name),
        may_be_set=plugin.is_running and bool(hooks.of(name, "register_settings")),
        form=FlaskForm(),
    )


@blueprint.post("/<name>/enable")
@permission(OPERATE)
def enable(name: str) -> ResponseReturnValue:
    try:
        switches.enable(current_work(), name)
    except MoothallError as error:
        return _refused(name, error)
    flash(_("The plugin is switched on. Restart the server to start using it."), "success")
    return redirect(url_for("extending.show", name=name), 303)


@blueprint.post("/<name>/disable")
@permission(OPERATE)
def disable(name: str) -> ResponseReturnValue:
    try:
        switches.disable(current_work(), name)
    except MoothallError as error:
        return _refused(name, error)
    flash(
        _("The plugin is switched off. Restart the server to stop using it."),
        "success",
    )
    return redirect(url_for("extending.show", name=name), 303)


@blueprint.get("/<name>/settings")
@permission(OPERATE)
def edit(name: str) -> ResponseReturnValue:
    declared = _declared(name)
    hooks, session = current_node().hooks, current_work().session
    now = {item.name: values.read(session, hooks, name, item.name) for item in declared}
    return _settings_page(name, settings_form(declared, now))


@blueprint.post("/<name>/settings")
@permission(OPERATE)
@keeps_text
def change(name: str) -> ResponseReturnValue:
    declared = _declared(name)
    form = settings_form(declared)
    if not form.validate_on_submit():
        return _settings_page(name, form), 400
    try:
        values.write(current_work(), name, {item.name: form[item.name].data for item in declared})
    except InvalidInputError as error:
        form.show(error)
        return _settings_page(name, form), 400
    flash(_("The settings are saved."), "success")
    return redirect(url_for("extending.show", name=name), 303)


def _hooks(plugin: service.Plugin) -> tuple[Hooks, str]:
    """The plugin as this process uses it, or loaded by itself; and why it cannot be used."""
    hooks = current_node().hooks
    if plugin.is_running or not plugin.is_installed:
        return hooks, plugin.wrong
    try:
        return service.alone(plugin.name), plugin.wrong
    except MoothallError as error:
        return hooks, error.safe_text


def _declared(name: str) -> list[Setting]:
    found: list[Setting] = current_node().hooks.of(name, "register_settings")
    if not found:
        raise NotFoundError(say("This plugin has no settings."))
    return found


def _settings_page(name: str, form: HouseForm) -> str:
    details = next(item for item in current_node().hooks.details if item.name == name)
    return render_template("extending/settings.html", details=details, form=form)


def _refused(name: str, error: MoothallError) -> ResponseReturnValue:
    """Why it cannot be done; nothing has been written."""
    flash(error.safe_text, "error")
    return redirect(url_for("extending.show", name=name), 303)
