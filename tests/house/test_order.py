"""What measures time is by itself: the other process's tests wait for it, and it for theirs."""

import threading
from pathlib import Path

import pytest

from tests.order import measures, turn

FAULT = "tests/faults/test_lines.py::test_one"
OTHER = "tests/web/test_pages.py::test_two"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))


def begins_during(first: str, second: str) -> bool:
    """Whether a test of one process begins while one of the other is running."""
    begun, done = threading.Event(), threading.Event()

    def run() -> None:
        with turn(second, "r"):
            begun.set()
        done.set()

    with turn(first, "r"):
        thread = threading.Thread(target=run)
        thread.start()
        beside = begun.wait(0.3)
    assert done.wait(5), "it has its turn afterwards"
    thread.join()
    return beside


def test_tests_that_measure_nothing_run_beside_each_other() -> None:
    assert begins_during(OTHER, OTHER)


@pytest.mark.parametrize(("first", "second"), [(FAULT, OTHER), (OTHER, FAULT), (FAULT, FAULT)])
def test_a_test_that_measures_runs_by_itself(first: str, second: str) -> None:
    assert not begins_during(first, second)


def test_one_process_waits_for_nobody(tmp_path: Path) -> None:
    with turn(FAULT, None), turn(FAULT, None):
        assert list(tmp_path.iterdir()) == []


def test_only_the_faults_are_measured() -> None:
    assert measures(FAULT)
    assert not measures(OTHER)
