"""The installed environment and the checkout fit together."""

import ast
import importlib.machinery
import re
import site
import sys
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPONENTS = ("server", "signaling", "media", "web")
# Loaded by name or by another package, never imported by us.
LOADED_BY_NAME = {"aiosqlite", "asyncpg", "tzdata"}


@pytest.mark.parametrize("name", [*COMPONENTS, "tests"])
def test_nothing_installed_provides_our_top_level_names(name: str) -> None:
    assert importlib.machinery.PathFinder.find_spec(name, site.getsitepackages()) is None


def test_only_the_fixed_names_are_at_the_top() -> None:
    fixed = {*COMPONENTS, "tests", "config", "pyproject.toml", "README.md", "dev.py", "CHANGELOG.md"}
    fixed |= {"LICENSE", "SECURITY.md"}
    ignored = {"__pycache__"}
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} - ignored
    assert found - fixed == set()


def listed(name: str) -> set[str]:
    """Names of the distributions in a requirements file."""
    text = (ROOT / "config" / name).read_text()
    return {found[1].lower() for found in re.finditer(r"^([A-Za-z0-9-]+)[=\[]", text, re.MULTILINE)}


def imported(folders: tuple[str, ...]) -> set[str]:
    """Names of the distributions that these folders import from."""
    names = set()
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            if "node_modules" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    names |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    names.add(node.module.split(".")[0])
    owners = packages_distributions()
    others = names - set(sys.stdlib_module_names) - {*COMPONENTS, "tests"}
    return {owners[name][0].lower().replace("_", "-") for name in others if name in owners}


def test_what_is_imported_is_installed_where_it_runs_and_what_is_listed_is_imported() -> None:
    used = imported(COMPONENTS)
    assert used - listed("requirements.lock") == set(), "only the development set has it"
    assert listed("requirements.in") - used - LOADED_BY_NAME == set(), "listed and never used"


def test_the_installed_versions_are_the_locked_ones() -> None:
    locks = (ROOT / "config" / "requirements-dev.lock").read_text()
    locked = re.findall(r"^([a-z0-9-]+)==([^ ]+)", locks, re.MULTILINE)
    installed = {found.metadata["Name"].lower().replace("_", "-"): found.version for found in distributions()}
    wrong = {
        name: installed[name]
        for name in installed.keys() & dict(locked).keys()
        if (name, installed[name]) not in locked
    }
    assert wrong == {}


@pytest.mark.parametrize("name", ["requirements", "requirements-dev", "requirements-node", "requirements-uv"])
def test_every_requirement_is_pinned_has_a_reason_and_is_locked(name: str) -> None:
    lock = (ROOT / "config" / f"{name}.lock").read_text()
    lines = (ROOT / "config" / f"{name}.in").read_text().splitlines()
    lines = [line for line in lines if not line.startswith(("#", "-r "))]
    for line in lines:
        pinned = re.match(r"([a-z0-9-]+)(?:\[\w+\])?==(\S+)", line)
        assert pinned, line
        assert f"\n{pinned[1]}=={pinned[2]} " in f"\n{lock}", f"{pinned[0]}: python3 dev.py lock"
        assert "# " in line or len(lines) == 1, f"why is it there? {line}"
