"""The command line, as a person starts it: real processes, real signals."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from typer.testing import CliRunner

from server.cli.main import app
from tests.server.program import ROOT, STOP_S_MAX, Demo, environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended and what it printed."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def meridian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Runs a command in this process: starting Python each time would take longer."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str, given: str = "") -> Done:
        done = CliRunner().invoke(app, list(arguments), input=given)
        assert done.exception is None or isinstance(done.exception, SystemExit)
        return Done(returncode=done.exit_code, stdout=done.stdout, stderr=done.stderr)

    return run


def test_settings_are_shown_with_where_they_came_from(meridian: Callable[..., Done], tmp_path: Path) -> None:
    done = meridian("config", "show")
    assert done.returncode == 0
    assert f'server.data_dir = "{tmp_path}/data"  # environment' in done.stdout
    assert "server.port = 8080  # default" in done.stdout


def test_a_wrong_setting_ends_with_code_2_the_reason_and_a_hint(
    meridian: Callable[..., Done], tmp_path: Path
) -> None:
    config = tmp_path / "m.toml"
    config.write_text("[server]\nprot = 1\n")
    done = meridian("config", "show", "--config", str(config))
    assert done.returncode == 2
    assert "meridian: error: server.prot: no such setting" in done.stderr
    assert "meridian: hint: every setting is in config/meridian.example.toml" in done.stderr


def test_python_without_assertions_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-O", "-m", "server", "config", "show"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "without -O" in done.stderr


def test_accounts_are_made_and_get_new_passwords(meridian: Callable[..., Done], tmp_path: Path) -> None:
    add = ("user", "add", "a@example.org", "--name", "Dr. A", "--role", "physician")
    unmade = meridian(*add)
    assert (unmade.returncode, "db upgrade" in unmade.stderr) == (1, True)
    assert meridian("db", "upgrade").stdout.endswith(" (was empty)\n")
    made = meridian(*add)
    assert made.returncode == 0
    assert len(made.stdout.strip()) == 23
    again = meridian(*add)
    assert (again.returncode, "there is an account" in again.stderr) == (1, True)
    reset = meridian("user", "reset-password", "a@example.org")
    assert reset.returncode == 0
    assert reset.stdout != made.stdout
    assert meridian("user", "reset-password", "b@example.org").returncode == 1
    short = meridian("user", "reset-password", "a@example.org", "--password-stdin", given="short\n")
    assert short.returncode == 2
    role = meridian("user", "add", "c@example.org", "--name", "C", "--role", "patient")
    assert (role.returncode, "physician, coordinator, interpreter" in role.stderr) == (2, True)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"email": "a b@example.org"}, "e-mail"),
        ({"email": f"{'a' * 250}@example.org"}, "e-mail"),
        ({"--name": "x" * 121}, "name"),
        ({"--name": "Dr.\u202eA"}, "name"),
        ({"--language": "no tag"}, "--language"),
    ],
)
def test_an_account_that_no_page_could_show_is_not_made(
    meridian: Callable[..., Done], changed: dict[str, str], said: str
) -> None:
    given = {"email": "a@example.org", "--name": "Dr. A", "--role": "physician", **changed}
    options = [part for name, value in given.items() if name != "email" for part in (name, value)]
    done = meridian("user", "add", given["email"], *options)
    assert (done.returncode, said in done.stderr) == (2, True)


def test_links_that_cannot_be_written_end_the_start_with_the_reason(
    meridian: Callable[..., Done], tmp_path: Path
) -> None:
    done = meridian("serve", "--demo", "--demo-json", str(tmp_path))
    assert (done.returncode, "--demo-json" in done.stderr, "Traceback" in done.stderr) == (2, True, False)


def test_the_demonstration_is_refused_on_an_address_others_reach(
    meridian: Callable[..., Done], tmp_path: Path
) -> None:
    config = tmp_path / "m.toml"
    config.write_text('[server]\nhost = "0.0.0.0"\npublic_url = "https://visits.example.org"\n')
    done = meridian("serve", "--demo", "--config", str(config))
    assert done.returncode == 2
    assert "--demo" in done.stderr


def status(url: str, body: dict[str, object] | None = None) -> int:
    origin = "/".join(url.split("/")[:3])
    headers = {"Content-Type": "application/json", "Origin": origin, "Accept": "text/html"}
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, data=data, headers=headers), timeout=10) as answer:  # noqa: S310 (loopback)
        return int(answer.status)


def test_the_demonstration_serves_its_links_and_ends_cleanly_on_sigterm(
    tmp_path: Path, free_port: int
) -> None:
    demo = Demo(tmp_path, free_port)
    try:
        links = demo.links()
        assert {"patient", "physician", "interpreter"} <= set(links)
        for link in links.values():
            assert status(link.partition("#")[0]) == 200
        site = links["patient"].partition("/v#")[0]
        assert status(f"{site}/readyz") == 200
        second = meridian_beside(tmp_path, free_port)
        assert (second.returncode, "another server uses" in second.stderr) == (1, True)
    finally:
        code, seconds = demo.end()
    assert code == 0, demo.log.read_text()
    assert seconds < STOP_S_MAX
    assert no_worker_is_left(tmp_path)
    text = demo.log.read_text()
    for link in links.values():
        assert link.partition("#")[2] not in text
    for name in ("Salma", "Marlowe", "127.0.0.1"):
        assert name not in text


def meridian_beside(tmp_path: Path, port: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "server", "serve"],
        cwd=ROOT,
        env=environment(tmp_path, port),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def no_worker_is_left(tmp_path: Path) -> bool:
    marks = str(tmp_path / "data").encode()
    processes = (path for path in Path("/proc").glob("[0-9]*") if path.name != str(os.getpid()))
    return not any(marks in read(path / "cmdline") + read(path / "environ") for path in processes)


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize("command", [("doctor",), ("--help",), ("db",)])
def test_help_and_doctor_say_something_useful(
    meridian: Callable[..., Done], command: tuple[str, ...]
) -> None:
    done = meridian(*command)
    assert done.stdout + done.stderr
    if command == ("doctor",):
        assert "media worker" in done.stdout
        assert "WRONG" not in done.stdout or done.returncode == 1
