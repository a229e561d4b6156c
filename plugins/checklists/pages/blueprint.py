"""The routes of the plugin's pages."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Blueprint
from flask.blueprints import BlueprintSetupState

from plugins.checklists import names
from plugins.checklists.access import PLUGIN
from plugins.checklists.pages import (
    answering,
    begin,
    council_questions,
    edit_parts,
    editing,
    lists,
    reporting,
    running,
    sharing,
)

FOLDER = Path(__file__).parents[1]
RUN_PATH = "/runs/<token>"
QUESTION_PATH = f"{RUN_PATH}/questions/<question_id>"
CHECKLIST_PATH = "/<checklist_id>"
EDIT_PATH = f"{CHECKLIST_PATH}/edit"

View = Callable[..., Any]
# URL rule, endpoint and view.
GET_ROUTES: tuple[tuple[str, str, View], ...] = (
    ("", "index", lists.index),
    ("/actions", "to_do", lists.to_do),
    ("/asked", "asked", council_questions.index),
    ("/new", "new", editing.new),
    ("/import", "ask_import", editing.ask_import),
    (CHECKLIST_PATH, "about", lists.about),
    (f"{CHECKLIST_PATH}/file", "export", lists.export),
    (f"{CHECKLIST_PATH}/versions", "versions", lists.versions),
    (f"{CHECKLIST_PATH}/councils", "councils", sharing.councils),
    (f"{CHECKLIST_PATH}/begin", "ask_begin", begin.show),
    (EDIT_PATH, "edit", editing.show),
    (f"{EDIT_PATH}/about", "edit_about", edit_parts.about),
    (f"{EDIT_PATH}/sections/<section_id>", "edit_section", edit_parts.section),
    (f"{EDIT_PATH}/sections/<section_id>/<question_id>", "edit_question", edit_parts.question),
    (f"{EDIT_PATH}/advice/<advice_id>", "edit_advice", edit_parts.advice),
    (f"{EDIT_PATH}/publish", "ask_publish", editing.ask_publish),
    (RUN_PATH, "run", running.show),
    (f"{RUN_PATH}/sections/<section_id>", "section", running.section),
    (f"{RUN_PATH}/delete", "ask_discard", running.ask_discard),
    (f"{RUN_PATH}/version", "newer", running.newer),
    (f"{RUN_PATH}/report", "report", reporting.show),
    (f"{RUN_PATH}/report.pdf", "pdf", reporting.pdf),
    (f"{RUN_PATH}/over-time", "over_time", reporting.over_time),
    (f"{RUN_PATH}/share", "ask_share", sharing.ask),
    (QUESTION_PATH, "question", answering.show),
    (f"{QUESTION_PATH}/action", "action", answering.action),
    (f"{QUESTION_PATH}/ask", "ask_council", council_questions.show),
)
POST_ROUTES: tuple[tuple[str, str, View], ...] = (
    ("/new", "invent", editing.invent),
    ("/import", "import_file", editing.import_file),
    (f"{CHECKLIST_PATH}/begin", "begin", begin.begin),
    (EDIT_PATH, "begin_edit", editing.begin),
    (f"{EDIT_PATH}/about", "save_about", edit_parts.save_about),
    (f"{EDIT_PATH}/sections/<section_id>", "save_section", edit_parts.save_section),
    (f"{EDIT_PATH}/sections/<section_id>/<question_id>", "save_question", edit_parts.save_question),
    (f"{EDIT_PATH}/advice/<advice_id>", "save_advice", edit_parts.save_advice),
    (f"{EDIT_PATH}/arrange", "arrange", editing.arrange),
    (f"{EDIT_PATH}/publish", "publish", editing.publish),
    (f"{EDIT_PATH}/delete", "discard_draft", editing.discard),
    (f"{RUN_PATH}/finish", "finish", running.finish),
    (f"{RUN_PATH}/again", "again", begin.again),
    (f"{RUN_PATH}/delete", "discard", running.discard),
    (f"{RUN_PATH}/version", "go_over", running.go_over),
    (f"{RUN_PATH}/share", "share", sharing.share),
    (f"{RUN_PATH}/withdraw", "withdraw", sharing.withdraw),
    (QUESTION_PATH, "answer", answering.answer),
    (f"{QUESTION_PATH}/action", "plan", answering.plan),
    (f"{QUESTION_PATH}/settle", "settle", answering.settle),
    (f"{QUESTION_PATH}/ask", "ask", council_questions.ask),
)


def create_blueprint() -> Blueprint:
    """A new blueprint for each application."""
    blueprint = Blueprint(
        PLUGIN,
        __name__,
        url_prefix="/checklists",
        template_folder=str(FOLDER / "templates"),
        static_folder=str(FOLDER / "static"),
    )
    for rule, endpoint, view in GET_ROUTES:
        blueprint.add_url_rule(rule, endpoint, view)
    for rule, endpoint, view in POST_ROUTES:
        blueprint.add_url_rule(rule, endpoint, view, methods=["POST"])
    blueprint.record(_add_template_globals)
    return blueprint


def _add_template_globals(state: BlueprintSetupState) -> None:
    """Imported macros see only globals, not the context of the page."""
    state.app.jinja_env.globals["checklist_names"] = names
