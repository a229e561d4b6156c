"""SQL that is compiled once in this process, and not anew for each node: that takes longer than to
run it.
"""

from sqlalchemy import Engine

# By the kind of database: all of a kind are of one server and one driver.
_first: dict[str, Engine] = {}


def share_compiled(engine: Engine) -> None:
    """Have an engine that did nothing yet know what others of its kind compiled."""
    first = _first.setdefault(engine.dialect.name, engine)
    if first is engine:
        # What the dialect learns at its first connection, it knows from now on.
        engine.connect().close()
    else:
        engine.dialect = first.dialect
        engine._compiled_cache = first._compiled_cache
