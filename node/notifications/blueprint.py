"""Where the pages of notices stand, and who has them: everybody who signs in."""

from flask import Blueprint

READ = "account.notices"

blueprint = Blueprint("notices", __name__, template_folder="templates")
