"""The routes of the plugin's pages."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Blueprint
from flask.blueprints import BlueprintSetupState

from plugins.checklists import labels
from plugins.checklists.access import PLUGIN
from plugins.checklists.pages import (
    answering,
    assessments,
    edit_parts,
    editing,
    enquiries,
    lists,
    reporting,
    sharing,
    starting,
)

PLUGIN_FOLDER = Path(__file__).parents[1]
ASSESSMENT_PATH = "/runs/<token>"
QUESTION_PATH = f"{ASSESSMENT_PATH}/questions/<question_id>"
CHECKLIST_PATH = "/<checklist_id>"
EDIT_PATH = f"{CHECKLIST_PATH}/edit"

ViewFunction = Callable[..., Any]
# URL rule, endpoint and view.
GET_ROUTES: tuple[tuple[str, str, ViewFunction], ...] = (
    ("", "index", lists.index),
    ("/actions", "to_do", lists.to_do),
    ("/asked", "asked", enquiries.index),
    ("/new", "new", editing.new),
    ("/import", "ask_import", editing.ask_import),
    (CHECKLIST_PATH, "about", lists.about),
    (f"{CHECKLIST_PATH}/file", "export", lists.export),
    (f"{CHECKLIST_PATH}/versions", "versions", lists.versions),
    (f"{CHECKLIST_PATH}/councils", "councils", sharing.councils),
    (f"{CHECKLIST_PATH}/begin", "ask_begin", starting.show),
    (EDIT_PATH, "edit", editing.show),
    (f"{EDIT_PATH}/about", "edit_about", edit_parts.about),
    (f"{EDIT_PATH}/sections/<section_id>", "edit_section", edit_parts.section),
    (f"{EDIT_PATH}/sections/<section_id>/<question_id>", "edit_question", edit_parts.question),
    (f"{EDIT_PATH}/advice/<advice_id>", "edit_advice", edit_parts.advice),
    (f"{EDIT_PATH}/publish", "ask_publish", editing.ask_publish),
    (ASSESSMENT_PATH, "run", assessments.show),
    (f"{ASSESSMENT_PATH}/sections/<section_id>", "section", assessments.section),
    (f"{ASSESSMENT_PATH}/delete", "ask_discard", assessments.ask_discard),
    (f"{ASSESSMENT_PATH}/version", "newer", assessments.newer),
    (f"{ASSESSMENT_PATH}/report", "report", reporting.show),
    (f"{ASSESSMENT_PATH}/report.pdf", "pdf", reporting.pdf),
    (f"{ASSESSMENT_PATH}/over-time", "over_time", reporting.over_time),
    (f"{ASSESSMENT_PATH}/share", "ask_share", sharing.ask),
    (QUESTION_PATH, "question", answering.show),
    (f"{QUESTION_PATH}/action", "action", answering.action),
    (f"{QUESTION_PATH}/ask", "ask_council", enquiries.show),
)
POST_ROUTES: tuple[tuple[str, str, ViewFunction], ...] = (
    ("/new", "invent", editing.invent),
    ("/import", "import_file", editing.import_file),
    (f"{CHECKLIST_PATH}/begin", "begin", starting.begin),
    (EDIT_PATH, "begin_edit", editing.begin),
    (f"{EDIT_PATH}/about", "save_about", edit_parts.save_about),
    (f"{EDIT_PATH}/sections/<section_id>", "save_section", edit_parts.save_section),
    (f"{EDIT_PATH}/sections/<section_id>/<question_id>", "save_question", edit_parts.save_question),
    (f"{EDIT_PATH}/advice/<advice_id>", "save_advice", edit_parts.save_advice),
    (f"{EDIT_PATH}/arrange", "arrange", editing.arrange),
    (f"{EDIT_PATH}/publish", "publish", editing.publish),
    (f"{EDIT_PATH}/delete", "discard_draft", editing.discard),
    (f"{ASSESSMENT_PATH}/finish", "finish", assessments.finish),
    (f"{ASSESSMENT_PATH}/again", "again", starting.again),
    (f"{ASSESSMENT_PATH}/delete", "discard", assessments.discard),
    (f"{ASSESSMENT_PATH}/version", "go_over", assessments.go_over),
    (f"{ASSESSMENT_PATH}/share", "share", sharing.share),
    (f"{ASSESSMENT_PATH}/withdraw", "withdraw", sharing.withdraw),
    (QUESTION_PATH, "answer", answering.answer),
    (f"{QUESTION_PATH}/action", "plan", answering.plan),
    (f"{QUESTION_PATH}/settle", "settle", answering.settle),
    (f"{QUESTION_PATH}/ask", "ask", enquiries.ask),
)


def create_blueprint() -> Blueprint:
    """A new blueprint for each application."""
    blueprint = Blueprint(
        PLUGIN,
        __name__,
        url_prefix="/checklists",
        template_folder=str(PLUGIN_FOLDER / "templates"),
        static_folder=str(PLUGIN_FOLDER / "static"),
    )
    for rule, endpoint, view in GET_ROUTES:
        blueprint.add_url_rule(rule, endpoint, view)
    for rule, endpoint, view in POST_ROUTES:
        blueprint.add_url_rule(rule, endpoint, view, methods=["POST"])
    blueprint.record(_add_template_globals)
    return blueprint


def _add_template_globals(state: BlueprintSetupState) -> None:
    """Imported macros see only globals, not the context of the page."""
    state.app.jinja_env.globals["checklist_names"] = labels
