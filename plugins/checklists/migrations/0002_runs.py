"""Create runs of checklists. Existing answers become the first run about each project."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

OLD = sa.table(
    "checklists__answer",
    *(sa.column(name) for name in ("project_uri", "checklist", "question", "answer", "by")),
    sa.column("at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    old_answers = op.get_bind().execute(sa.select(OLD).order_by(OLD.c.at)).all()
    op.drop_table("checklists__answer")
    _create_definitions()
    runs = _create_runs()
    answers = _create_answers()
    _create_asked()
    _carry_over(old_answers, runs, answers)


def _when(name: str, *, nullable: bool = False) -> "sa.Column[datetime]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _create_definitions() -> None:
    op.create_table(
        "checklists__version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("checklist", sa.String(length=60), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(length=500), nullable=False),
        _when("at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checklists__version")),
        sa.UniqueConstraint(
            "checklist", "number", name=op.f("uq_checklists__version_checklist_number")
        ),
    )
    op.create_table(
        "checklists__draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("checklist", sa.String(length=60), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=500), nullable=False),
        _when("at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checklists__draft")),
        sa.UniqueConstraint("checklist", name=op.f("uq_checklists__draft_checklist")),
    )


def _create_runs() -> sa.Table:
    table = op.create_table(
        "checklists__run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=40), nullable=False),
        sa.Column("checklist", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(length=20), nullable=False),
        sa.Column("about", sa.String(length=2000), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("is_latest", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("began_by", sa.String(length=500), nullable=False),
        _when("began_at"),
        _when("changed_at"),
        _when("finished_at", nullable=True),
        sa.Column("document_id", sa.String(length=2000), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checklists__run")),
        sa.UniqueConstraint("token", name=op.f("uq_checklists__run_token")),
        sa.UniqueConstraint(
            "checklist",
            "scope",
            "about",
            "number",
            name=op.f("uq_checklists__run_checklist_scope_about_number"),
        ),
    )
    op.create_index("ix_checklists__run_scope_about", "checklists__run", ["scope", "about"])
    return table


def _create_answers() -> sa.Table:
    run_id = sa.ForeignKeyConstraint(
        ["run_id"],
        ["checklists__run.id"],
        name=op.f("fk_checklists__answer_run_id_checklists__run"),
    )
    table = op.create_table(
        "checklists__answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("question", sa.String(length=60), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("action", sa.String(length=10), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        _when("done_at", nullable=True),
        sa.Column("reminded_of", sa.Date(), nullable=True),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=500), nullable=False),
        _when("at"),
        run_id,
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checklists__answer")),
        sa.UniqueConstraint(
            "run_id", "question", name=op.f("uq_checklists__answer_run_id_question")
        ),
    )
    for name in ("action", "due_on", "owner_id"):
        op.create_index(op.f(f"ix_checklists__answer_{name}"), "checklists__answer", [name])
    op.create_table(
        "checklists__past",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("question", sa.String(length=60), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(length=500), nullable=False),
        _when("at"),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["checklists__run.id"],
            name=op.f("fk_checklists__past_run_id_checklists__run"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checklists__past")),
    )
    op.create_index(op.f("ix_checklists__past_run_id"), "checklists__past", ["run_id"])
    return table


def _create_asked() -> None:
    op.create_table(
        "checklists__asked",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("question", sa.String(length=60), nullable=False),
        sa.Column("council_uri", sa.String(length=2000), nullable=False),
        sa.Column("council_name", sa.String(length=300), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        _when("at"),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["checklists__run.id"],
            name=op.f("fk_checklists__asked_run_id_checklists__run"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checklists__asked")),
    )
    for name in ("council_uri", "run_id"):
        op.create_index(op.f(f"ix_checklists__asked_{name}"), "checklists__asked", [name])


def _carry_over(old_answers: Sequence[Any], runs: sa.Table, answers: sa.Table) -> None:
    """Copy the existing answers into runs; no and partly open an action."""
    connection = op.get_bind()
    answers_by_run: dict[tuple[str, str], list[Any]] = {}
    for row in old_answers:
        answers_by_run.setdefault((row.project_uri, row.checklist), []).append(row)
    for (project_uri, checklist), rows in answers_by_run.items():
        first = rows[0]
        run = {"token": secrets.token_urlsafe(9), "checklist": checklist, "version": 1}
        about = {"scope": "project", "about": project_uri, "title": "", "number": 1}
        state = {"is_latest": True, "state": "open", "document_id": "", "began_by": first.by}
        times = {"began_at": first.at, "changed_at": rows[-1].at}
        inserted = connection.execute(runs.insert().values(**run, **about, **state, **times))
        key = inserted.inserted_primary_key
        connection.execute(
            answers.insert(), [_answer(row, key[0] if key else None) for row in rows]
        )


def _answer(row: Any, run_id: Any) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "question": row.question,
        "answer": row.answer,
        "note": "",
        "evidence": [],
        "action": "open" if row.answer in ("no", "partly") else "",
        "plan": "",
        "edition": 1,
        "by": row.by,
        "at": row.at,
    }
