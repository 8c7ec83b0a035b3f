"""The house's own rules find what they are for."""

from pathlib import Path, PurePath

import pytest

from tests.house import rules
from tests.house.rules import (
    FILE_LINES_MAX,
    FUNCTION_LINES_MAX,
    address_problems,
    file_problems,
    size_problems,
)

PYTHON_FILE = PurePath("server/somewhere.py")
LOCK = PurePath("config/requirements.lock")


def test_a_file_may_be_as_long_as_the_limit_and_no_longer() -> None:
    assert not list(size_problems(PYTHON_FILE, "\n" * FILE_LINES_MAX))
    assert list(size_problems(PYTHON_FILE, "\n" * (FILE_LINES_MAX + 1)))


def test_a_function_may_be_as_long_as_the_limit_and_no_longer() -> None:
    def of_lines(count: int) -> str:
        return "async def long():\n" + "    pass\n" * (count - 1)

    assert not list(size_problems(PYTHON_FILE, of_lines(FUNCTION_LINES_MAX)))
    [problem] = size_problems(PYTHON_FILE, of_lines(FUNCTION_LINES_MAX + 1))
    assert str(problem).startswith("server/somewhere.py:1: long has 71 lines")


def test_generated_files_and_data_may_be_long() -> None:
    text = "\n" * (FILE_LINES_MAX + 1)
    assert not list(size_problems(PurePath("web/client/src/protocol.gen.ts"), text))
    assert not list(size_problems(PurePath("config/requirements.lock"), text))


# Written with a gap, so that this file keeps the rule it tests.
def joined(line: str) -> str:
    return line.replace("…", "")


@pytest.mark.parametrize(
    "line",
    [
        'DATA = "/…work/main/data"',
        "see /…root/.cache",
        "cd /…home/somebody",
        "log: /…tmp/meridian.log",
        "--index-url https://pypi.…org/simple",
        'from "https://files.python…hosted.org/packages/x.whl"',
        "https://registry.…npmjs.org/esbuild",
        "deb http://deb.…debian.org/debian bookworm main",
        "https://nexus.…example.org/repository",
        "--find-links file:/…//opt/wheels",
    ],
)
def test_a_path_of_one_machine_or_a_registry_is_found(line: str) -> None:
    [problem] = address_problems(PurePath("README.md"), f"first\n{joined(line)}\n")
    assert problem.line == 2


def test_the_rules_themselves_keep_to_them() -> None:
    for file in (Path(__file__), Path(rules.__file__)):
        assert not list(address_problems(PurePath(file.name), file.read_text()))


@pytest.mark.parametrize(
    "line",
    [
        "GET /join/3f",
        "/usr/bin/chromium",
        "~/work/meridian",
        "https://example.org/home/page",
        "media/root/x",
        "tests/tmp/x",
    ],
)
def test_an_ordinary_path_is_not_a_problem(line: str) -> None:
    assert not list(address_problems(PurePath("README.md"), line))


@pytest.mark.parametrize(
    "line", ['"resolved": "x.tgz",', "package @ https://example.org/package.whl", "--index-url x"]
)
def test_a_lock_does_not_name_where_packages_come_from(line: str) -> None:
    assert list(address_problems(LOCK, line))
    assert not list(address_problems(LOCK, "package==1.0 \\\n    --hash=sha256:00\n    # via other\n"))


def test_binary_and_vanished_files_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff\xfe")
    (tmp_path / "notes.md").write_text(joined("/…root/secret\n"))
    problems = [str(problem) for problem in file_problems(tmp_path, ["picture.png", "gone.py", "notes.md"])]
    assert problems == [joined("notes.md:1: a path of one machine: /…root/secret")]
