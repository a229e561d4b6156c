"""The blueprint of the notification pages and their permission, which every role has."""

from flask import Blueprint

READ = "account.notices"

blueprint = Blueprint("notifications", __name__, template_folder="templates")
