"""The form in which a checklist is answered: a question, three radios, and so on."""

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectChoice

from node.api import HouseForm, said
from plugins.checklists.definitions import Checklist
from plugins.checklists.service import ANSWERS

LABELS = dict(zip(ANSWERS, (_l("Yes"), _l("Partly"), _l("No")), strict=True))


def answer_form(checklist: Checklist) -> HouseForm:
    """A form with one field for each question, named by its id."""
    fields = {
        question.id: RadioField(
            said(question.text),
            description=said(question.guidance),
            choices=[SelectChoice(answer, label) for answer, label in LABELS.items()],
            validate_choice=False,
        )
        for question in checklist.questions
    }
    form: HouseForm = type("AnswerForm", (HouseForm,), fields)()
    return form
