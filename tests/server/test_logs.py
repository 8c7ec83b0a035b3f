"""Log lines: nothing of a person gets through, wherever it is put."""

import contextlib
import io
import json
import logging
from collections.abc import Iterator

import pytest

from server import logs
from server.settings import Server

CANARIES = (
    "s3cretS3cretS3cretS3cretS3cretS3cretS3cretS",
    "198.51.100.77",
    "2001:db8:0:1::77",
    "canary@example.org",
    "Salma",
)
SECRET, IPV4, IPV6, EMAIL, NAME = CANARIES


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def start() -> io.StringIO:
    """Log as the server does, to a stream of the test's own."""
    stream = io.StringIO()
    with contextlib.redirect_stderr(stream):
        logs.configure(Server(log_format="json"))
    return stream


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_has_time_level_component_and_what_was_given() -> None:
    stream = start()
    logs.logger("media").warning("worker lost", worker=3, consult="abcDEF123456abcDEF1234")
    [line] = lines(stream)
    assert line["event"] == "worker lost"
    assert line["level"] == "warning"
    assert line["component"] == "media"
    assert line["worker"] == 3
    assert line["consult"] == "abcDEF123456abcDEF1234"
    assert str(line["timestamp"]).endswith("Z")


def test_what_could_be_of_a_person_never_gets_through() -> None:
    stream = start()
    log = logs.logger("test")
    for canary in (SECRET, IPV4, IPV6, EMAIL):
        log.info(f"got {canary}", got=canary)  # noqa: G004 (what nobody should write)
    log.info(
        "x", name=NAME, address=IPV4, text=NAME, detail=[SECRET, IPV4], where=f"http://{IPV4}/v#{SECRET}"
    )
    logging.getLogger("aiohttp.server").error("bad request from %s with %s", IPV4, SECRET)
    logging.getLogger("elsewhere").warning("mail for %s", EMAIL)
    text = json.dumps(lines(stream))
    for canary in CANARIES:
        assert canary not in text


def test_an_exception_is_logged_by_type_and_place_not_by_its_text() -> None:
    stream = start()

    def fail() -> None:
        raise ValueError(f"{NAME} {SECRET}")

    for log in (logs.logger("test"), logging.getLogger("elsewhere")):
        try:
            fail()
        except ValueError:
            log.exception("failed")
    found = lines(stream)
    assert [line["error"] for line in found] == ["ValueError", "ValueError"]
    assert all("server/test_logs.py" in str(line["traceback"]) for line in found)
    assert NAME not in json.dumps(found)
    assert SECRET not in json.dumps(found)


def test_a_line_break_in_a_value_makes_no_second_line() -> None:
    stream = start()
    logs.logger("test").info("x", given='a\r\n{"event": "forged"}')
    assert len(lines(stream)) == 1


def test_chatty_libraries_say_nothing_of_requests() -> None:
    stream = start()
    for name in ("aiohttp.access", "engineio.server", "socketio.server", "sqlalchemy.engine"):
        logging.getLogger(name).info("GET /v?x=%s", SECRET)
    assert lines(stream) == []
