"""Shares compiled SQL between engines of one process: compiling takes longer than running."""

from sqlalchemy import Engine

# The first engine of each dialect; engines of one dialect use the same server and driver.
_first_engines: dict[str, Engine] = {}


def share_compiled_sql(engine: Engine) -> None:
    """Have an unused engine share the compiled SQL of earlier engines of its dialect."""
    first = _first_engines.setdefault(engine.dialect.name, engine)
    if first is engine:
        # The dialect initialises itself at the first connection.
        engine.connect().close()
    else:
        engine.dialect = first.dialect
        engine._compiled_cache = first._compiled_cache
