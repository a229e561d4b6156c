"""Titles of other projects are no longer kept: not in relations, their versions or the outbox."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

NAMESPACE = "https://moothall.org/ns#"
# Rows are read and written in portions, so that a large database fits in memory.
PORTION = 500


def upgrade() -> None:
    _rewrite("project", "details", '%"related"%', _without_titles)
    _rewrite("project_version", "text", '%"related"%', _without_titles_of_version)
    _rewrite("outbox_activity", "body", f'%"rel":"{NAMESPACE}%', _without_names)


def _rewrite(table: str, column: str, like: str, change: Any) -> None:
    """Write the JSON of each row that is `like` anew, as `change` returns it."""
    connection, last = op.get_bind(), 0
    wanted = sa.text(
        f"SELECT id, CAST({column} AS TEXT) AS said FROM {table}"  # noqa: S608 -- names of ours
        f" WHERE id > :last AND CAST({column} AS TEXT) LIKE :like ORDER BY id LIMIT {PORTION}"
    )
    kind = sa.Text() if table == "outbox_activity" else sa.JSON()
    rows = sa.table(table, sa.column("id", sa.Integer), sa.column(column, kind))
    write = sa.update(rows).where(rows.c.id == sa.bindparam("row"))
    while found := connection.execute(wanted, {"last": last, "like": like}).all():
        last = found[-1].id
        changed = [
            {"row": row.id, column: said}
            for row in found
            if (said := change(json.loads(row.said))) is not None
        ]
        if changed:
            connection.execute(write, changed)


def _without_titles(details: dict[str, Any]) -> dict[str, Any] | None:
    """The details of a project; None if they have no title of another."""
    titled = [each for each in details.get("related") or [] if each.pop("title", None) is not None]
    return details if titled else None


def _without_titles_of_version(text: dict[str, Any]) -> dict[str, Any] | None:
    return text if _without_titles(text.get("details") or {}) is not None else None


def _without_names(activity: dict[str, Any]) -> str | None:
    """An activity of ours; its proofs would be of other text, so they go too."""
    if not _strip(activity):
        return None
    return json.dumps(activity, ensure_ascii=False, separators=(",", ":"))


def _strip(thing: Any) -> bool:
    """Take the names off the relations in `thing`; whether there were any."""
    if isinstance(thing, list):
        within = [_strip(each) for each in thing]
        return True in within
    if not isinstance(thing, dict):
        return False
    is_relation = str(thing.get("rel", "")).startswith(NAMESPACE)
    found = is_relation and thing.pop("name", None) is not None
    within = [_strip(each) for each in thing.values()]
    found = found or True in within
    if found:
        thing.pop("proof", None)
    return found
