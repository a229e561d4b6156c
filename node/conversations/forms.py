"""The form in which a comment is written."""

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, TextAreaField

from node.forms import BaseForm


class CommentForm(BaseForm):
    """`to` is the id of what is answered; empty for the project itself."""

    source = TextAreaField(
        _l("Your comment"),
        description=_l("Your comment is published in your council’s name. You can use Markdown."),
    )
    to = HiddenField()
