"""Log lines: nothing of a person gets through, wherever it is put."""

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


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.fixture(autouse=True)
def _configured(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:  # capsys first: it replaces stderr
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    logs.configure(Server(log_format="json"))
    yield
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    logging.captureWarnings(capture=False)


def test_a_line_has_time_level_component_and_what_was_given(capsys: pytest.CaptureFixture[str]) -> None:
    logs.logger("media").warning("worker lost", worker=3, consult="abcDEF123456abcDEF1234")
    [line] = lines(capsys)
    assert line["event"] == "worker lost"
    assert line["level"] == "warning"
    assert line["component"] == "media"
    assert line["worker"] == 3
    assert line["consult"] == "abcDEF123456abcDEF1234"
    assert str(line["timestamp"]).endswith("Z")


def test_what_could_be_of_a_person_never_gets_through(capsys: pytest.CaptureFixture[str]) -> None:
    log = logs.logger("test")
    log.info(f"got {SECRET} from {IPV4} and {IPV6} by {EMAIL}")
    log.info(
        "x", name=NAME, address=IPV4, text=NAME, detail=[SECRET, IPV4], where=f"http://{IPV4}/v#{SECRET}"
    )
    logging.getLogger("aiohttp.server").error("bad request from %s with %s", IPV4, SECRET)
    logging.getLogger("elsewhere").warning("mail for %s", EMAIL)
    text = json.dumps(lines(capsys))
    for canary in CANARIES:
        assert canary not in text


def test_an_exception_is_logged_by_type_and_place_not_by_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise ValueError(f"{NAME} {SECRET}")

    for log in (logs.logger("test"), logging.getLogger("elsewhere")):
        try:
            fail()
        except ValueError:
            log.exception("failed")
    found = lines(capsys)
    assert [line["error"] for line in found] == ["ValueError", "ValueError"]
    assert all("server/test_logs.py" in str(line["traceback"]) for line in found)
    assert NAME not in json.dumps(found)
    assert SECRET not in json.dumps(found)


def test_a_line_break_in_a_value_makes_no_second_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.logger("test").info("x", given='a\r\n{"event": "forged"}')
    assert len(lines(capsys)) == 1


def test_chatty_libraries_say_nothing_of_requests(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("aiohttp.access", "engineio.server", "socketio.server", "sqlalchemy.engine"):
        logging.getLogger(name).info("GET /v?x=%s", SECRET)
    assert lines(capsys) == []
