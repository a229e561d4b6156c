"""Structured logs: one line for each event, with the id of the request that it belongs to."""

import io
import logging
import sys
import threading
from time import monotonic
from typing import TextIO

import structlog

from node.settings import Settings

MIN_REPEAT_SECONDS = 60.0


class OncePerMinuteFilter(logging.Filter):
    """Lets one record a minute through, in one line without a traceback: for errors that many
    threads get repeatedly while the database or the job engine is down.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._last: float | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        with self._lock:
            if self._last is not None and monotonic() - self._last < MIN_REPEAT_SECONDS:
                return False
            self._last = monotonic()
        error = record.exc_info[1] if record.exc_info else None
        text = f"{record.getMessage()} {error or ''}"
        record.msg, record.args, record.exc_info = " ".join(text.split()), (), None
        return True


# For errors of the database and of the job engine.
DATABASE_LOGGER = logging.getLogger("node.database")
JOB_ENGINE_LOGGER = logging.getLogger("huey.consumer")
DATABASE_LOGGER.addFilter(OncePerMinuteFilter())
_job_engine_filter = OncePerMinuteFilter()
for _name in ("huey.consumer", "huey.consumer.Worker", "huey.consumer.Scheduler"):
    logging.getLogger(_name).addFilter(_job_engine_filter)


def escape_event(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Escape unprintable characters (as `\\x1b`), so that logged input cannot control a terminal or
    forge lines. structlog escapes values that are not text itself.
    """
    return {
        escape_unprintable(name): escape_unprintable(value) if isinstance(value, str) else value
        for name, value in event.items()
    }


def escape_unprintable(text: str) -> str:
    """`text` with an escape for each character that cannot be printed."""
    return text if text.isprintable() else "".join(map(_escape_character, text))


def _escape_character(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode()


def _write_traceback(stream: TextIO, exc_info: structlog.typing.ExcInfo) -> None:
    traceback = io.StringIO()
    structlog.dev.plain_traceback(traceback, exc_info)
    stream.write("\n".join(map(escape_unprintable, traceback.getvalue().split("\n"))))


def configure(settings: Settings) -> None:
    """Send all logs of this process, including libraries', to standard error in the format of
    `settings.log_format`.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    final: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if settings.log_format == "json"
        else [
            escape_event,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=_write_traceback
            ),
        ]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    # Every wake-up of the job engine, and every check by Alembic, would be a line.
    for name in ("huey", "huey.consumer", "waitress.queue"):
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.WARNING)
