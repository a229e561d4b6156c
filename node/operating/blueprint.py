"""The blueprint of the operator's pages and the permissions that they require."""

from flask import Blueprint

OPERATE, COORDINATE = "node.operate", "projects.coordinate"

blueprint = Blueprint("operating", __name__, url_prefix="/operator", template_folder="templates")
