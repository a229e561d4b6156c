"""The comment form."""

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, TextAreaField

from node.forms import BaseForm


class CommentForm(BaseForm):
    """`to` is the id of the comment or update to reply to; empty for the project itself."""

    source = TextAreaField(
        _l("Your comment"),
        description=_l(
            "Your comment will be published in your council’s name. You can use Markdown."
        ),
    )
    to = HiddenField()
