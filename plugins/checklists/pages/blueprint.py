"""The address of every page of checklists."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Blueprint
from flask.blueprints import BlueprintSetupState

from plugins.checklists import names
from plugins.checklists.access import PLUGIN
from plugins.checklists.pages import (
    answering,
    asking,
    begin,
    edit_parts,
    editing,
    lists,
    reporting,
    running,
    sharing,
)

FOLDER = Path(__file__).parents[1]
RUN = "/runs/<token>"
QUESTION = f"{RUN}/questions/<question_id>"
ONE = "/<checklist_id>"
EDIT = f"{ONE}/edit"

View = Callable[..., Any]
# Address, name, and what shows it and what is sent to it.
PAGES: tuple[tuple[str, str, View], ...] = (
    ("", "index", lists.index),
    ("/actions", "to_do", lists.to_do),
    ("/asked", "asked", asking.index),
    ("/new", "new", editing.new),
    ("/import", "ask_import", editing.ask_import),
    (ONE, "about", lists.about),
    (f"{ONE}/file", "export", lists.export),
    (f"{ONE}/versions", "versions", lists.versions),
    (f"{ONE}/councils", "councils", sharing.councils),
    (f"{ONE}/begin", "ask_begin", begin.show),
    (EDIT, "edit", editing.show),
    (f"{EDIT}/about", "edit_about", edit_parts.about),
    (f"{EDIT}/sections/<section_id>", "edit_section", edit_parts.section),
    (f"{EDIT}/sections/<section_id>/<question_id>", "edit_question", edit_parts.question),
    (f"{EDIT}/advice/<advice_id>", "edit_advice", edit_parts.advice),
    (f"{EDIT}/publish", "ask_publish", editing.ask_publish),
    (RUN, "run", running.show),
    (f"{RUN}/sections/<section_id>", "section", running.section),
    (f"{RUN}/delete", "ask_discard", running.ask_discard),
    (f"{RUN}/version", "newer", running.newer),
    (f"{RUN}/report", "report", reporting.show),
    (f"{RUN}/report.pdf", "pdf", reporting.pdf),
    (f"{RUN}/over-time", "over_time", reporting.over_time),
    (f"{RUN}/share", "ask_share", sharing.ask),
    (QUESTION, "question", answering.show),
    (f"{QUESTION}/action", "action", answering.action),
    (f"{QUESTION}/ask", "ask_council", asking.show),
)
DEEDS: tuple[tuple[str, str, View], ...] = (
    ("/new", "invent", editing.invent),
    ("/import", "import_file", editing.import_file),
    (f"{ONE}/begin", "begin", begin.begin),
    (EDIT, "begin_edit", editing.begin),
    (f"{EDIT}/about", "save_about", edit_parts.save_about),
    (f"{EDIT}/sections/<section_id>", "save_section", edit_parts.save_section),
    (f"{EDIT}/sections/<section_id>/<question_id>", "save_question", edit_parts.save_question),
    (f"{EDIT}/advice/<advice_id>", "save_advice", edit_parts.save_advice),
    (f"{EDIT}/arrange", "arrange", editing.arrange),
    (f"{EDIT}/publish", "publish", editing.publish),
    (f"{EDIT}/delete", "discard_draft", editing.discard),
    (f"{RUN}/finish", "finish", running.finish),
    (f"{RUN}/again", "again", begin.again),
    (f"{RUN}/delete", "discard", running.discard),
    (f"{RUN}/version", "go_over", running.go_over),
    (f"{RUN}/share", "share", sharing.share),
    (f"{RUN}/withdraw", "withdraw", sharing.withdraw),
    (QUESTION, "answer", answering.answer),
    (f"{QUESTION}/action", "plan", answering.plan),
    (f"{QUESTION}/settle", "settle", answering.settle),
    (f"{QUESTION}/ask", "ask", asking.ask),
)


def blueprint() -> Blueprint:
    """New for every application, as Flask wants it."""
    pages = Blueprint(
        PLUGIN,
        __name__,
        url_prefix="/checklists",
        template_folder=str(FOLDER / "templates"),
        static_folder=str(FOLDER / "static"),
    )
    for address, name, view in PAGES:
        pages.add_url_rule(address, name, view)
    for address, name, view in DEEDS:
        pages.add_url_rule(address, name, view, methods=["POST"])
    pages.record(_name)
    return pages


def _name(state: BlueprintSetupState) -> None:
    """Macros of templates see nothing but what is global."""
    state.app.jinja_env.globals["checklist_names"] = names
