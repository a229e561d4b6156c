"""The blueprint of the notification pages."""

from flask import Blueprint

blueprint = Blueprint("notifications", __name__, template_folder="templates")
