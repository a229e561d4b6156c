"""The blueprint that the search views register on."""

from flask import Blueprint

blueprint = Blueprint("search", __name__, template_folder="templates")
