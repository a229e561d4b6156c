"""The form for an officer's public profile."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField

from node.forms import BaseForm, LongLineField
from node.officers.service import OfficerProfile


class ProfileForm(BaseForm):
    """`username` is shown only when the profile is created; it cannot be changed."""

    name = StringField(_l("Your name, as other people will see it"))
    username = StringField(
        _l("Username"), description=_l("Your name on other servers. You cannot change it later.")
    )
    about = LongLineField(
        _l("About you (optional)"),
        description=_l("A sentence or two, for example about the work you do"),
    )

    def to_profile(self) -> OfficerProfile:
        return OfficerProfile(self.name.data or "", self.about.data or "")
