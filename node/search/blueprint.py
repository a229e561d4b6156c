"""Where the pages of searching stand."""

from flask import Blueprint

blueprint = Blueprint("search", __name__, template_folder="templates")
