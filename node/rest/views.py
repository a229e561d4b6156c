"""Pages about the API: its operations, and a user's tokens."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from node.access.permissions import PROFILE
from node.errors import ConflictError, InvalidInputError
from node.languages import translate
from node.request import PUBLIC, current_work, permission
from node.rest import openapi, service
from node.rest.forms import SCOPE_LABELS, ApiTokenForm
from node.rest.models import TokenScope

blueprint = Blueprint("tokens", __name__, template_folder="templates")


@blueprint.get("/api")
@permission(PUBLIC)
def about() -> ResponseReturnValue:
    """The operations of the API, from its OpenAPI document."""
    document = openapi.build_document(current_work().settings.base_url)
    operations = [
        (method.upper(), path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method != "parameters"
    ]
    return render_template(
        "rest/about.html", base=document["servers"][0]["url"], operations=operations
    )


@blueprint.get("/account/tokens")
@permission(PROFILE)
def index() -> ResponseReturnValue:
    """The signed-in user's tokens."""
    return _render_tokens(ApiTokenForm())


def _render_tokens(form: ApiTokenForm, secret: str = "") -> str:
    tokens = service.list_of_user(current_work().session, current_user)
    scope_labels = {scope.value: label for scope, label in SCOPE_LABELS.items()}
    return render_template(
        "rest/tokens.html", form=form, tokens=tokens, secret=secret, names=scope_labels
    )


@blueprint.post("/account/tokens/new")
@permission(PROFILE)
def make() -> ResponseReturnValue:
    """Create a token, and show its secret once."""
    form = ApiTokenForm()
    if not form.validate_on_submit():
        return _render_tokens(form), 400
    scopes = [scope for scope in form.scopes.data or [] if scope in list(TokenScope)]
    try:
        _token, secret = service.create_token(
            current_work(), current_user, form.name.data or "", scopes, form.days_valid()
        )
    except InvalidInputError as error:
        form.add_errors(error)
        return _render_tokens(form), 400
    except ConflictError as error:
        form.form_errors.append(translate(error.safe_text))
        return _render_tokens(form), 409
    return _render_tokens(ApiTokenForm(formdata=None), secret)


@blueprint.post("/account/tokens/<int:token_id>/revoke")
@permission(PROFILE)
def revoke(token_id: int) -> ResponseReturnValue:
    token = service.revoke(current_work(), current_user, token_id)
    flash(_("The token “%(name)s” has been revoked.", name=token.name), "success")
    return redirect(url_for("tokens.index"), 303)
