"""dev.py: what each verb starts and what makes a step run again."""

import subprocess
import sys
from pathlib import Path

import pytest

import dev

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("verb", "arguments", "command"),
    [
        ("run", [], "-m server serve --demo"),
        ("run", ["--demo-json", "links.json"], "-m server serve --demo --demo-json links.json"),
        ("run", ["--lan"], "-m server serve --demo --lan"),
        ("config", ["show"], "-m server config show"),
        ("bench", ["forward"], "-m media.bench forward"),
        ("check", [], "-m tests.house.check"),
    ],
)
def test_a_verb_starts_the_program_it_names(verb: str, arguments: list[str], command: str) -> None:
    assert dev.command_for(verb, arguments) == command.split()


def test_a_changed_an_added_and_a_renamed_file_each_make_a_build_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    web = tmp_path / "web"
    web.mkdir()
    seen = {dev.digest(web)}
    (web / "page.ts").write_text("1")
    seen.add(dev.digest(web))
    (web / "page.ts").write_text("2")
    seen.add(dev.digest(web))
    (web / "page.ts").rename(web / "call.ts")
    seen.add(dev.digest(web))
    assert len(seen) == 4


def test_what_a_build_writes_does_not_make_it_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    (tmp_path / "web" / "static" / "dist").mkdir(parents=True)
    (tmp_path / "web" / "node_modules").mkdir()
    before = dev.digest(tmp_path / "web")
    (tmp_path / "web" / "static" / "dist" / "app.js").write_text("built")
    (tmp_path / "web" / "node_modules" / "index.js").write_text("installed")
    (tmp_path / "web" / "messages.mo").write_text("compiled")
    assert dev.digest(tmp_path / "web") == before


def test_the_checks_are_left_out_only_when_tests_are_named() -> None:
    assert dev.names_tests(["tests/house/test_dev.py::test_help"])
    assert not dev.names_tests(["-x", "--maxfail=1"])


def test_help_names_every_verb_and_needs_no_environment() -> None:
    shown = subprocess.run(
        [sys.executable, ROOT / "dev.py", "--help"], capture_output=True, text=True, check=True
    )
    for verb in ("run", "test", "check", "bench", "lock", "clean"):
        assert f"\n  {verb} " in shown.stdout
    assert not shown.stderr


def test_what_is_missing_is_named_in_one_line_with_the_command_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        dev, "SYSTEM", {"here": ("sh",), "away": ("no-such-program",), "far": ("/no/such/*/file",)}
    )
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    dev.system_packages()
    [line] = capsys.readouterr().err.splitlines()
    assert "without away, far;" in line
    assert line.endswith("sudo apt-get install -y --no-install-recommends away far")


def test_nothing_is_said_when_nothing_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MERIDIAN_TEST_BROWSER", "browser")
    monkeypatch.setattr(
        dev, "SYSTEM", {"here": ("no-such-program", "sh"), "told": ("$MERIDIAN_TEST_BROWSER",)}
    )
    dev.system_packages()
    assert capsys.readouterr().err == ""
