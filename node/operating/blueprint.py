"""Where the operator's pages stand, and who may see them."""

from flask import Blueprint

OPERATE, COORDINATE = "node.operate", "projects.coordinate"

blueprint = Blueprint("operating", __name__, url_prefix="/operator", template_folder="templates")
