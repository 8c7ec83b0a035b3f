"""Log lines: structured, without names, secrets, addresses or text of a person.

What is logged is chosen where it is logged (ids, codes, counts). The filter here is the last line of defence:
it drops keys that could carry such a thing and masks values that look like one.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError

from server.settings import Server

VALUE_CHARS_MAX: Final = 300
TRACEBACK_FRAMES_MAX: Final = 30
_PERSONAL_KEYS: Final = frozenset(
    {
        "address",
        "remote",
        "ip",
        "name",
        "email",
        "text",
        "token",
        "secret",
        "ticket",
        "cookie",
        "password",
        "phone",
        "url",
    }
)
# 22 or more characters of base64url are a random value of 128 bits or more; an address has dots or colons.
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{40,}")
_IPV4: Final = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")
_IPV6: Final = re.compile(r"(?<![\w:])(?:[0-9a-fA-F]{0,4}:){3,7}[0-9a-fA-F]{0,4}(?![\w:])")
_EMAIL: Final = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")

Line = MutableMapping[str, Any]


def masked(value: str) -> str:
    """A text without secrets, network addresses, e-mail addresses and line breaks."""
    for pattern in (_EMAIL, _SECRET, _IPV4, _IPV6):
        value = pattern.sub("…", value)
    return value[:VALUE_CHARS_MAX].replace("\r", " ").replace("\n", " ")


def _without_persons(_logger: object, _method: str, line: Line) -> Line:
    for key, value in list(line.items()):
        if key in _PERSONAL_KEYS:
            line[key] = "…"
        elif isinstance(value, str) and key not in ("timestamp", "level", "traceback"):
            line[key] = masked(value)
        elif key.startswith("_"):
            continue  # structlog's own
        elif not isinstance(value, (str, int, float, bool, type(None))):
            line[key] = masked(str(value))
    return line


def _traceback_without_values(_logger: object, _method: str, line: Line) -> Line:
    """The type and the places of an exception, never its text: that may quote what a person sent."""
    error = line.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    elif isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        line["error"] = type(error).__name__
        line["traceback"] = " < ".join(_places(error))
    return line


def _places(error: BaseException) -> list[str]:
    places: list[str] = []
    frame = error.__traceback__
    while frame is not None:
        code = frame.tb_frame.f_code
        folder, _, file = code.co_filename.rpartition("/")
        places.append(f"{folder.rpartition('/')[2]}/{file}:{frame.tb_lineno} {code.co_name}")
        frame = frame.tb_next
    return places[: -TRACEBACK_FRAMES_MAX - 1 : -1]


class _WithoutBadRequests(logging.Filter):
    """What is no HTTP is somebody probing: answered with 400 by aiohttp, not worth a line each."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError | RequestPayloadError)


_BAD_REQUESTS: Final = _WithoutBadRequests()


def configure(settings: Server) -> None:
    """Send structlog's and the standard library's log lines to standard error, once for the process."""
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _traceback_without_values,
        _without_persons,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=True)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    # They log addresses, messages and SQL at their lower levels.
    for noisy in (
        "aiohttp.access",
        "aiohttp.server",
        "engineio",
        "socketio",
        "sqlalchemy",
        "aiosqlite",
        "asyncio",
        "alembic",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("aiohttp.server").addFilter(_BAD_REQUESTS)
    logging.captureWarnings(capture=True)


def logger(component: str) -> structlog.stdlib.BoundLogger:
    """The logger of one component. Not bound here: that would freeze what is configured now."""
    lazy: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("meridian", component=component)
    return lazy
