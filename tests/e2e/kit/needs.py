"""Finds the programs the browser tests need; a test whose program is missing is skipped, in CI it fails."""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
OUT = ROOT / "tests" / "e2e" / ".out"


def program(*names: str, package: str, override: str = "") -> str:
    """Path of the first of these programs, or of the one the environment variable `override` names."""
    wanted = [os.environ[override]] if os.environ.get(override) else list(names)
    for name in wanted:
        found = shutil.which(name)
        if found:
            return found
    pytest.skip(f"{wanted[0]} is not installed: sudo apt-get install {package}")


def chromium() -> str:
    return program(
        "chromium",
        "chromium-browser",
        "google-chrome",
        package="chromium",
        override="MERIDIAN_TEST_CHROMIUM",
    )


def firefox() -> str:
    return program("firefox-esr", "firefox", package="firefox-esr", override="MERIDIAN_TEST_FIREFOX")


def out(name: str) -> Path:
    """Where a test leaves a picture or a log to look at; not tracked."""
    OUT.mkdir(parents=True, exist_ok=True)
    return OUT / name
